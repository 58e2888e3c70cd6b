//! How much of a volume's picture is drawn at a time, so that no dispatch takes longer than a frame may.
//!
//! While something changes, a picture that costs too much is drawn of fewer pixels and enlarged: a *draft*. At rest
//! it is drawn in full, in pieces of a few milliseconds, and shown when it is whole; whatever changes meanwhile
//! abandons the pieces. Costs are those that were measured on this device, of this view.

use bevy_ecs::component::Component;
use lucida_components::stream::Canvas;
use std::time::Duration;

/// Canvas pixels per pixel of a draft, along both sides.
const SCALES: [f64; 7] = [1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0];

/// Pieces consist of squares of this many pixels per side.
pub const SQUARE: u32 = 64;

/// What a dispatch may take on a device.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// Microseconds of a whole picture.
    pub picture: f64,
    /// Microseconds of a piece.
    pub piece: f64,
    /// Scale of a draft before anything was measured.
    pub first: f64,
}

impl Limits {
    /// The limits of a device where a stream has a picture every `interval`. A software driver draws slower, and
    /// less often: a picture may take 45 ms there, which leaves time to convert and encode ten a second and more.
    pub fn of(is_cpu: bool, interval: Duration) -> Self {
        if is_cpu {
            return Self { picture: 45e3, piece: 25e3, first: 4.0 };
        }
        let interval = interval.as_secs_f64() * 1e6;
        Self { picture: (0.7 * interval).max(8e3), piece: (0.4 * interval).max(5e3), first: 2.0 }
    }
}

/// A part of a picture, canvas pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// Left and upper edge.
    pub from: [u32; 2],
    /// Width and height.
    pub count: [u32; 2],
}

/// What is to be drawn next.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Task {
    /// The whole picture, each of whose pixels stands for `scale`² of the canvas's. 1 is full quality.
    Whole {
        /// Canvas pixels per pixel.
        scale: f64,
    },
    /// A piece of the full picture; others follow.
    Piece(Part),
    /// The last piece: the picture can be shown.
    Last(Part),
    /// What is shown, read back once more.
    Again,
    /// A piece is being drawn.
    Wait,
}

/// What asks for a picture.
#[derive(Debug, Clone, Copy)]
pub struct Ask {
    /// Names what is to be seen: the revision, and what is resident.
    pub key: (u64, u64),
    /// A picture of it, of whatever quality, is shown.
    pub shown: bool,
    /// Nothing changed for a while.
    pub calm: bool,
    /// No draft is wanted: a still.
    pub still: bool,
    /// The canvas.
    pub canvas: Canvas,
}

/// What a stream's pictures of volumes cost, and how far the one in pieces is.
#[derive(Component, Debug, Default)]
pub struct Effort {
    /// Microseconds of a whole picture at full quality, as last measured or concluded.
    full: Option<f64>,
    /// Scale of drafts.
    scale: Option<f64>,
    /// Squares per microsecond of the last piece.
    rate: Option<f64>,
    refining: Option<Refining>,
    /// Pieces begun.
    number: u64,
}

#[derive(Debug)]
struct Refining {
    key: (u64, u64),
    canvas: Canvas,
    /// Squares that are drawn or being drawn, row by row.
    done: u32,
    /// The piece that is being drawn, and its squares.
    flight: Option<(u64, u32)>,
    /// Microseconds of those that were.
    micros: f64,
}

impl Effort {
    /// Whether the picture that is asked for is one of full quality, be it in pieces.
    pub fn is_in_full(&self, ask: &Ask, limits: &Limits) -> bool {
        ask.still || ask.calm || self.is_affordable(limits)
    }

    /// Whether a whole picture of full quality is in time.
    fn is_affordable(&self, limits: &Limits) -> bool {
        self.full.is_some_and(|micros| micros <= limits.picture)
    }

    /// What to draw for this picture; [`Self::begun`] says that it is.
    pub fn next(&self, ask: &Ask, limits: &Limits) -> Task {
        let begun = self.refining.as_ref().filter(|r| r.is_for(ask));
        if begun.is_none() && self.is_affordable(limits) {
            return Task::Whole { scale: 1.0 };
        }
        // A draft comes first.
        if !(ask.still || (ask.calm && ask.shown)) {
            return Task::Whole { scale: self.scale.unwrap_or(limits.first) };
        }
        if begun.is_some_and(|r| r.flight.is_some()) {
            return Task::Wait;
        }
        let [columns, rows] = squares(ask.canvas);
        let affordable = self.rate.map_or(1.0, |rate| rate * limits.piece);
        let count = affordable.clamp(1.0, f64::from(columns * rows)) as u32;
        let done = begun.map_or(0, |r| r.done);
        let (part, count) = part(ask.canvas, [columns, rows], done, count);
        if done + count >= columns * rows { Task::Last(part) } else { Task::Piece(part) }
    }

    /// What [`Self::next`] said is being drawn: what was begun for another picture is abandoned. Of a piece, the
    /// number that it has when it comes back.
    pub fn begun(&mut self, ask: &Ask, task: Task) -> Option<u64> {
        let part = match task {
            Task::Again | Task::Wait => return None,
            Task::Whole { .. } => {
                self.refining = None;
                return None;
            }
            Task::Last(_) => {
                if let Some(refining) = self.refining.take() {
                    // Without the last piece.
                    self.full = Some(refining.micros.max(self.full.unwrap_or(0.0) * 0.5));
                }
                return None;
            }
            Task::Piece(part) => part,
        };
        let done = self.refining.take().filter(|r| r.is_for(ask)).map_or((0, 0.0), |r| (r.done, r.micros));
        let count = part.count.map(|n| n.div_ceil(SQUARE)).iter().product::<u32>();
        self.number += 1;
        self.refining = Some(Refining {
            key: ask.key,
            canvas: ask.canvas,
            done: done.0 + count,
            flight: Some((self.number, count)),
            micros: done.1,
        });
        Some(self.number)
    }

    /// A piece was drawn.
    pub fn piece_done(&mut self, number: u64, micros: f64) {
        let Some(refining) = &mut self.refining else { return };
        let Some((_, squares)) = refining.flight.take_if(|(n, _)| *n == number) else { return };
        refining.micros += micros;
        // Squares differ; a piece is at most twice as large as the one before it.
        let measured = f64::from(squares) / micros.max(1.0);
        self.rate = Some(self.rate.map_or(measured, |rate| measured.min(2.0 * rate)));
    }

    /// What was begun is lost with its device.
    pub fn forget(&mut self) {
        self.refining = None;
    }

    /// A whole picture of this scale took so long.
    pub fn whole_done(&mut self, scale: f64, micros: f64, limits: &Limits) {
        self.full = Some(micros * scale * scale);
        let wanted = scale * (micros / limits.picture).sqrt();
        let now = self.scale.unwrap_or(scale);
        // Not changed for little: every change is seen.
        if wanted > now || wanted < 0.65 * now {
            let fitting = SCALES.iter().copied().find(|s| *s >= wanted * 1.05);
            self.scale = Some(fitting.unwrap_or(SCALES[SCALES.len() - 1]));
        } else {
            self.scale = Some(now);
        }
    }
}

impl Refining {
    fn is_for(&self, ask: &Ask) -> bool {
        self.key == ask.key && self.canvas == ask.canvas
    }
}

/// Columns and rows of squares.
fn squares(canvas: Canvas) -> [u32; 2] {
    [canvas.width, canvas.height].map(|n| n.div_ceil(SQUARE))
}

/// The part that begins at square `done` and has about `count` squares: whole rows of squares, or a run in one.
fn part(canvas: Canvas, [columns, rows]: [u32; 2], done: u32, count: u32) -> (Part, u32) {
    let (row, column) = (done / columns, done % columns);
    let (width, height) = if column == 0 && count >= columns {
        (columns, (count / columns).min(rows - row))
    } else {
        (count.min(columns - column), 1)
    };
    let from = [column * SQUARE, row * SQUARE];
    let to = [(column + width) * SQUARE, (row + height) * SQUARE];
    let part = Part { from, count: [to[0].min(canvas.width) - from[0], to[1].min(canvas.height) - from[1]] };
    (part, width * height)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    const CANVAS: Canvas = Canvas { width: 1000, height: 300 };
    const LIMITS: Limits = Limits { picture: 10e3, piece: 5e3, first: 4.0 };

    fn ask(revision: u64, calm: bool, shown: bool) -> Ask {
        Ask { key: (revision, 0), shown, calm, still: false, canvas: CANVAS }
    }

    /// Draws pieces until the last; every pixel must be drawn once.
    fn refine(effort: &mut Effort, ask: &Ask, micros_per_pixel: f64) -> usize {
        let mut drawn = vec![0_u8; 1000 * 300];
        let mut pieces = 0;
        loop {
            let task = effort.next(ask, &LIMITS);
            let (Task::Piece(part) | Task::Last(part)) = task else { panic!("{task:?}") };
            for y in part.from[1]..part.from[1] + part.count[1] {
                for x in part.from[0]..part.from[0] + part.count[0] {
                    drawn[(y * 1000 + x) as usize] += 1;
                }
            }
            pieces += 1;
            let Some(number) = effort.begun(ask, task) else {
                assert!(drawn.iter().all(|n| *n == 1), "each pixel once");
                return pieces;
            };
            assert_eq!(effort.next(ask, &LIMITS), Task::Wait, "one piece at a time");
            let micros = f64::from(part.count[0] * part.count[1]) * micros_per_pixel;
            assert!(pieces < 4 || micros < 2.5 * LIMITS.piece, "piece {pieces} takes {micros} µs");
            effort.piece_done(number, micros);
        }
    }

    #[test]
    fn what_is_cheap_is_drawn_whole_also_while_it_moves() {
        let mut effort = Effort::default();
        assert_eq!(
            effort.next(&ask(1, false, false), &LIMITS),
            Task::Whole { scale: 4.0 },
            "nothing is known"
        );
        effort.whole_done(4.0, 100.0, &LIMITS);
        for calm in [false, true] {
            assert_eq!(effort.next(&ask(2, calm, true), &LIMITS), Task::Whole { scale: 1.0 });
            assert!(effort.is_in_full(&ask(2, calm, true), &LIMITS));
        }
    }

    #[test]
    fn drafts_become_smaller_until_they_are_in_time_and_larger_with_a_margin() {
        let mut effort = Effort::default();
        // 0.2 µs a pixel: 60 ms in full.
        let cost = |scale: f64| 60e3 / (scale * scale);
        let mut scale = 1.0;
        for revision in 0..5 {
            effort.whole_done(scale, cost(scale), &LIMITS);
            let task = effort.next(&ask(revision, false, true), &LIMITS);
            let Task::Whole { scale: next } = task else { panic!("{task:?}") };
            scale = next;
        }
        assert!(cost(scale) <= LIMITS.picture && scale <= 3.0, "scale {scale}");
        assert!(!effort.is_in_full(&ask(9, false, true), &LIMITS));
        effort.whole_done(scale, cost(scale) * 0.9, &LIMITS);
        assert_eq!(
            effort.next(&ask(9, false, true), &LIMITS),
            Task::Whole { scale },
            "not changed for little"
        );
    }

    #[test]
    fn at_rest_it_is_drawn_in_pieces_that_are_in_time_and_cover_all() {
        let mut effort = Effort::default();
        effort.whole_done(4.0, 5e3, &LIMITS);
        let pieces = refine(&mut effort, &ask(1, true, true), 0.3);
        assert!((10..60).contains(&pieces), "{pieces} pieces");
        assert_eq!(
            effort.next(&ask(2, true, false), &LIMITS),
            Task::Whole { scale: 4.0 },
            "a draft comes first"
        );
        let still = Ask { still: true, ..ask(3, false, false) };
        refine(&mut effort, &still, 0.3);
    }

    #[test]
    fn a_change_abandons_the_pieces_at_once() {
        let mut effort = Effort::default();
        effort.whole_done(4.0, 5e3, &LIMITS);
        let (calm, moved) = (ask(1, true, true), ask(2, false, false));
        let first = effort.begun(&calm, effort.next(&calm, &LIMITS)).unwrap();
        let draft = effort.next(&moved, &LIMITS);
        assert_eq!(draft, Task::Whole { scale: 4.0 });
        effort.begun(&moved, draft);
        effort.piece_done(first, 3e3);
        let calm = ask(2, true, true);
        let Task::Piece(part) = effort.next(&calm, &LIMITS) else { panic!("a piece") };
        assert_eq!(part.from, [0, 0], "from the beginning");
        effort.begun(&calm, Task::Piece(part));
        effort.piece_done(first, 3e3);
        assert_eq!(effort.next(&calm, &LIMITS), Task::Wait, "the old piece is not the new one");
    }
}
