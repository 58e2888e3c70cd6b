//! Contrast limits from percentiles of what is shown.

use crate::residency::{cache::ChunkCache, sample};
use lucida_components::{applied::ViewState, fault::Rejection, ids::LayerId, layer::LayerKind};

/// The limits of a layer as it is shown: the percentiles (0..=100, linear between ranks, as numpy's default)
/// of the finite values under the picture; where they coincide, the extremes; where those do, a range above
/// the one value.
pub(super) fn limits(
    state: &ViewState,
    id: LayerId,
    percentiles: [f64; 2],
    cache: &ChunkCache,
) -> Result<[f64; 2], Rejection> {
    let [low, high] = percentiles;
    // A NaN is refused as well: it compares with nothing.
    if !(0.0 <= low && low < high && high <= 100.0) {
        return Err(Rejection::invalid("percentiles are [lower, upper] with 0 <= lower < upper <= 100"));
    }
    let layer = state.layer(id).ok_or_else(|| Rejection::invalid(format!("{id} does not exist")))?;
    if layer.layer.kind == LayerKind::Labels {
        return Err(Rejection::invalid(format!("{id} is a labels layer: it has no contrast")));
    }
    let mut values = sample::shown(state, layer, cache).ok_or_else(|| {
        Rejection::error(format!("nothing of {id} is here yet; ask again when it is in the picture"))
    })?;
    values.retain(|v| v.is_finite());
    if values.is_empty() {
        return Err(Rejection::error(format!("{id} shows no value that is a finite number")));
    }
    let mut between = |p: [f64; 2]| p.map(|p| percentile(&mut values, p));
    let found = between(percentiles);
    if found[0] < found[1] {
        return Ok(found);
    }
    let [least, most] = between([0.0, 100.0]);
    Ok(if least < most { [least, most] } else { [least, least + least.abs().max(1.0)] })
}

/// The percentile `p` of values, of which there is one and all are numbers. Reorders them: a full sort of what
/// a picture shows would be most of a turn.
fn percentile(values: &mut [f64], p: f64) -> f64 {
    let rank = p / 100.0 * (values.len() - 1) as f64;
    let (_, low, above) = values.select_nth_unstable_by(rank.floor() as usize, f64::total_cmp);
    let low = *low;
    let high = above.iter().copied().min_by(f64::total_cmp).unwrap_or(low);
    low + (high - low) * rank.fract()
}

#[cfg(test)]
mod tests {
    use super::percentile;

    #[test]
    fn percentiles_are_those_of_numpy() {
        // numpy.percentile([1, 2, 4, 8, 16], [0, 10, 50, 99.5, 100])
        let mut values = [8.0, 1.0, 16.0, 4.0, 2.0];
        for (p, want) in [(0.0, 1.0), (10.0, 1.4), (50.0, 4.0), (99.5, 15.84), (100.0, 16.0)] {
            assert!((percentile(&mut values, p) - want).abs() < 1e-12, "{p}");
        }
        assert_eq!(percentile(&mut [7.0], 30.0), 7.0);
    }
}
