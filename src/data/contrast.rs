//! Contrast limits measured from values.

/// Percentiles that a window without a recipe spans.
pub const WINDOW: [f64; 2] = [0.5, 99.5];

/// The values at percentiles `p` (0..=100, linear between ranks) of the finite values; `None` where there
/// is none. Reorders `values`.
pub fn percentiles(values: &mut Vec<f32>, p: [f64; 2]) -> Option<[f64; 2]> {
    values.retain(|v| v.is_finite());
    let last = values.len().checked_sub(1)?;
    Some(p.map(|p| {
        let rank = p.clamp(0.0, 100.0) / 100.0 * last as f64;
        let (_, low, above) = values.select_nth_unstable_by(rank.floor() as usize, f32::total_cmp);
        let low = f64::from(*low);
        let high = above.iter().copied().min_by(f32::total_cmp).map_or(low, f64::from);
        low + (high - low) * rank.fract()
    }))
}

/// Smallest and largest finite value; `None` where there is none.
pub fn extremes(values: &[f32]) -> Option<[f64; 2]> {
    let finite = values.iter().copied().filter(|v| v.is_finite());
    finite.fold(None, |range: Option<[f64; 2]>, v| {
        let v = f64::from(v);
        Some(range.map_or([v, v], |[lo, hi]| [lo.min(v), hi.max(v)]))
    })
}

/// The window for these values: [`WINDOW`]'s percentiles; where they coincide, the extremes; where those
/// do, `(0, 1)`. Reorders `values`.
pub fn window(values: &mut Vec<f32>) -> [f64; 2] {
    let proper = |w: &[f64; 2]| w[0] < w[1];
    percentiles(values, WINDOW)
        .filter(proper)
        .or_else(|| extremes(values).filter(proper))
        .unwrap_or([0.0, 1.0])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The same by a full sort.
    fn by_sort(values: &[f32], p: f64) -> f64 {
        let mut sorted: Vec<f32> = values.iter().copied().filter(|v| v.is_finite()).collect();
        sorted.sort_by(f32::total_cmp);
        let rank = p / 100.0 * (sorted.len() - 1) as f64;
        let (low, high) = (f64::from(sorted[rank.floor() as usize]), f64::from(sorted[rank.ceil() as usize]));
        low + (high - low) * rank.fract()
    }

    proptest! {
        #[test]
        fn percentiles_are_those_of_the_sorted_values(
            mut values in prop::collection::vec(prop_oneof![-1e6f32..1e6, Just(f32::NAN), Just(f32::INFINITY), Just(3.0f32)], 1..300),
            low in 0.0f64..50.0, high in 50.0f64..=100.0,
        ) {
            values.push(1.0);
            let want = [by_sort(&values, low), by_sort(&values, high)];
            prop_assert_eq!(percentiles(&mut values, [low, high]), Some(want));
        }
    }

    #[test]
    fn a_window_is_never_empty() {
        assert_eq!(window(&mut vec![]), [0.0, 1.0]);
        assert_eq!(window(&mut vec![f32::NAN, f32::INFINITY]), [0.0, 1.0]);
        assert_eq!(window(&mut vec![7.0; 9]), [0.0, 1.0]);
        let mut sparse = vec![0.0; 10_000];
        sparse[5] = 9.0;
        assert_eq!(window(&mut sparse), [0.0, 9.0]);
        assert_eq!(window(&mut (0..=1000).map(|v| v as f32).collect()), [5.0, 995.0]);
    }
}
