// What this browser, at this address, cannot do.

/** Names of the missing abilities; empty where pictures can be shown. */
export function missingAbilities() {
  const missing = [];
  if (!globalThis.isSecureContext) missing.push('a secure context');
  if (!('VideoDecoder' in globalThis)) missing.push('WebCodecs');
  if (!('transferControlToOffscreen' in HTMLCanvasElement.prototype)) missing.push('OffscreenCanvas');
  return missing;
}
