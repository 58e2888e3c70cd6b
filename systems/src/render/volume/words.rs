//! What page tables say of bricks.

use super::params::scaling;
use super::program::Mode;
use lucida_components::{applied::LayerState, controls::Rendering, dtype::Dtype};

/// Nothing is in a slot, but what would be is known.
const ANSWERED: u32 = 1 << 31;

/// How a layer's page tables are written.
pub(super) struct Words {
    mode: Mode,
    limits: [f64; 2],
    threshold: f64,
    /// Of labels: the one that is shown alone.
    alone: Option<f32>,
    scaling: [f64; 2],
}

impl Words {
    /// Those of a layer.
    pub(super) fn of(layer: &LayerState, dtype: Dtype) -> Self {
        let c = &layer.controls;
        Self {
            mode: Mode::of(layer),
            limits: c.contrast_limits,
            threshold: c.iso_threshold,
            alone: c.show_selected_label.then_some(c.selected_label as f32),
            scaling: scaling(dtype),
        }
    }

    /// The entry of a brick: its slot, or that its known range answers for it; and what is known of it.
    pub(super) fn of_brick(&self, slot: Option<u32>, known: Option<[f32; 2]>) -> [u32; 2] {
        match (slot, known) {
            (Some(slot), known) => [slot + 1, known.map_or(u32::from(u16::MAX) << 16, |r| self.known(r))],
            (None, Some(range)) => self.answer(range).map_or([0; 2], |value| [ANSWERED, value.to_bits()]),
            (None, None) => [0; 2],
        }
    }

    fn normalised(&self, v: f32) -> f64 {
        let [lo, hi] = self.limits;
        ((f64::from(v) - lo) / (hi - lo)).clamp(0.0, 1.0)
    }

    /// Of a surface or labels: whether a brick may have any.
    fn may_have(&self, [min, max]: [f32; 2]) -> bool {
        match self.mode {
            Mode::Labels => max > 0.0 && self.alone.is_none_or(|id| min <= id && id <= max),
            Mode::Image(_) => f64::from(max) >= self.threshold,
        }
    }

    /// Smallest and largest normalised value, 16 bits each, rounded apart; smallest > largest without numbers.
    fn known(&self, range: [f32; 2]) -> u32 {
        let [min, max] = range;
        let steps = f64::from(u16::MAX);
        let (low, high) = match self.mode {
            _ if min > max => (u16::MAX, 0),
            Mode::Labels | Mode::Image(Rendering::Iso) => {
                (0, if self.may_have(range) { u16::MAX } else { 0 })
            }
            Mode::Image(_) => {
                ((self.normalised(min) * steps).floor() as u16, (self.normalised(max) * steps).ceil() as u16)
            }
        };
        u32::from(low) | u32::from(high) << 16
    }

    /// What a brick that is not there answers, where it is the same everywhere: the normalised value, of a surface
    /// or label the value as textures give it; no number where there is none.
    fn answer(&self, [min, max]: [f32; 2]) -> Option<f32> {
        if min > max {
            return Some(f32::NAN);
        }
        match self.mode {
            Mode::Labels => (!self.may_have([min, max])).then_some(0.0),
            Mode::Image(Rendering::Iso) => {
                let [add, divide] = self.scaling;
                let middle = f64::midpoint(f64::from(min), f64::from(max));
                (!self.may_have([min, max])).then_some(((middle + add) / divide) as f32)
            }
            Mode::Image(_) => {
                let (low, high) = (self.normalised(min), self.normalised(max));
                (low == high).then_some(low as f32)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(mode: Mode) -> Words {
        Words { mode, limits: [10.0, 20.0], threshold: 15.0, alone: None, scaling: scaling(Dtype::U16) }
    }

    fn halves(word: u32) -> [u32; 2] {
        [word & 0xFFFF, word >> 16]
    }

    #[test]
    fn a_brick_in_a_slot_tells_its_range_rounded_apart() {
        let w = words(Mode::Image(Rendering::Mip));
        assert_eq!(w.of_brick(Some(6), None), [7, 0xFFFF_0000], "unknown: anything");
        let [slot, range] = w.of_brick(Some(0), Some([10.0001, 12.0]));
        assert_eq!((slot, halves(range)), (1, [0, 13_107]));
        assert_eq!(halves(w.of_brick(Some(0), Some([13.0, 14.0]))[1]), [19_660, 26_214]);
        assert_eq!(halves(w.of_brick(Some(0), Some([-5.0, 10.0]))[1]), [0, 0]);
        assert_eq!(halves(w.of_brick(Some(0), Some([20.0, 900.0]))[1]), [65_535, 65_535]);
        assert_eq!(halves(w.of_brick(Some(0), Some([f32::MAX, f32::MIN]))[1]), [65_535, 0]);
    }

    #[test]
    fn a_brick_that_is_not_there_answers_where_it_is_the_same_everywhere() {
        let w = words(Mode::Image(Rendering::Average));
        assert_eq!(w.of_brick(None, None), [0; 2]);
        assert_eq!(w.of_brick(None, Some([11.0, 12.0])), [0; 2]);
        assert_eq!(w.of_brick(None, Some([3.0, 10.0])), [ANSWERED, 0.0_f32.to_bits()]);
        assert_eq!(w.of_brick(None, Some([15.0, 15.0])), [ANSWERED, 0.5_f32.to_bits()]);
        let [answered, none] = w.of_brick(None, Some([f32::MAX, f32::MIN]));
        assert!(answered == ANSWERED && f32::from_bits(none).is_nan());
    }

    #[test]
    fn surfaces_and_labels_are_where_they_may_be() {
        let w = words(Mode::Image(Rendering::Iso));
        assert_eq!(w.of_brick(None, Some([3.0, 15.0])), [0; 2]);
        let [answered, value] = w.of_brick(None, Some([2.0, 4.0]));
        assert_eq!((answered, f32::from_bits(value)), (ANSWERED, 3.0 / 65_535.0));
        assert_eq!(halves(w.of_brick(Some(0), Some([3.0, 15.0]))[1]), [0, 65_535]);
        assert_eq!(halves(w.of_brick(Some(0), Some([3.0, 14.0]))[1]), [0, 0]);
        let mut w = words(Mode::Labels);
        assert_eq!(w.of_brick(None, Some([0.0, 0.0])), [ANSWERED, 0]);
        assert_eq!(halves(w.of_brick(Some(0), Some([0.0, 9.0]))[1]), [0, 65_535]);
        w.alone = Some(10.0);
        assert_eq!(halves(w.of_brick(Some(0), Some([0.0, 9.0]))[1]), [0, 0]);
        assert_eq!(halves(w.of_brick(Some(0), Some([0.0, 11.0]))[1]), [0, 65_535]);
    }
}
