// A control's value: the hand's while the hand is on it or its answer is under way, the server's otherwise.

export class Held {
  #show;
  #truth;
  #grasped = false;
  #underWay = 0;

  /** `show(value)` puts a value on the screen; it never sends. */
  constructor(show) {
    this.#show = show;
  }

  /** The server's value. */
  set truth(value) {
    this.#truth = value;
    this.#settle();
  }

  get truth() {
    return this.#truth;
  }

  /** The hand takes the control: what the server says meanwhile waits. */
  grasp() {
    this.#grasped = true;
  }

  release() {
    this.#grasped = false;
    this.#settle();
  }

  /** The hand has set a value that is on its way; `answer` is the promise of its acknowledgement. */
  async sent(value, answer) {
    this.#underWay += 1;
    this.#show(value);
    const ack = await answer;
    this.#underWay -= 1;
    // The acknowledgement comes before the notice and already says what was applied.
    if (ack.status === 'accepted' && ack.applied_value != null && this.#underWay === 0) this.#truth = ack.applied_value;
    this.#settle();
  }

  /** Watches an input: grasped from pointer down to up, and while it is typed in. */
  watch(input) {
    const typed = input.type === 'number';
    input.addEventListener(typed ? 'focus' : 'pointerdown', () => this.grasp());
    for (const end of typed ? ['blur'] : ['pointerup', 'pointercancel', 'lostpointercapture', 'blur']) {
      input.addEventListener(end, () => this.release());
    }
    return this;
  }

  #settle() {
    if (!this.#grasped && this.#underWay === 0 && this.#truth !== undefined) this.#show(this.#truth);
  }
}
