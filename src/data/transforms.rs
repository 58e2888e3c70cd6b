//! Scale and translation of every level, combined from the lists of the level and of the multiscales.

use super::json;
use serde_json::Value;

/// World units per voxel and world coordinate of voxel 0's centre, per array dimension.
#[derive(Debug, Clone, PartialEq)]
pub struct Placement {
    /// Finite and > 0.
    pub scale: Vec<f64>,
    /// Finite.
    pub translation: Vec<f64>,
}

/// Places every level. `lists` has the transforms of each level as written, `common` those of the
/// multiscales, `shapes` the extents, `names` the dimensions' names for warnings.
///
/// A scale that is missing or cannot be used (zero, NaN, infinite) follows from the voxel counts, so that
/// the level covers the stretch that level 0 covers; if it is level 0's, so do those of all levels. A
/// negative scale is taken without its sign. All are warned of.
pub fn place(
    lists: &[&Value],
    common: &Value,
    shapes: &[Vec<u64>],
    names: &[String],
    warnings: &mut Vec<String>,
) -> Vec<Placement> {
    let n = names.len();
    let mut missing = Vec::new();
    let mut levels: Vec<Placement> = lists
        .iter()
        .enumerate()
        .map(|(level, list)| {
            let mut placement = Placement { scale: vec![1.0; n], translation: vec![0.0; n] };
            let mut scaled = false;
            for transform in [*list, common].into_iter().filter_map(Value::as_array).flatten() {
                scaled |= apply(&mut placement, transform, level, warnings);
            }
            if !scaled {
                missing.push(level.to_string());
                placement = Placement { scale: vec![0.0; n], translation: vec![0.0; n] };
            }
            placement
        })
        .collect();
    if !missing.is_empty() {
        warnings.push(format!("no scale for level {}; placed by voxel counts", missing.join(", ")));
    }
    for (d, name) in names.iter().enumerate() {
        if levels.iter().any(|p| p.scale[d] < 0.0 && p.scale[d].is_finite()) {
            warnings.push(format!("axis {name}: a negative scale is taken without its sign"));
        }
        if levels.iter().any(|p| p.scale[d].is_finite() && !p.translation[d].is_finite()) {
            warnings.push(format!("axis {name}: a translation that is no number is taken as 0"));
        }
        for p in &mut levels {
            p.scale[d] = p.scale[d].abs();
            if !p.translation[d].is_finite() {
                p.translation[d] = 0.0;
            }
        }
        let unusable: Vec<usize> = (0..levels.len()).filter(|&l| !levels[l].scale[d].is_normal()).collect();
        if unusable.iter().any(|l| !missing.contains(&l.to_string())) {
            warnings.push(format!("axis {name}: a scale of 0 or no number; placed by voxel counts"));
        }
        let anchored = unusable.first() != Some(&0);
        let (scale, origin) = (if anchored { levels[0].scale[d] } else { 1.0 }, levels[0].translation[d]);
        for (level, p) in levels.iter_mut().enumerate() {
            if !anchored || unusable.contains(&level) {
                (p.scale[d], p.translation[d]) = by_counts(scale, origin, shapes[0][d], shapes[level][d]);
            }
        }
    }
    levels
}

/// A level of `count` voxels over the stretch that `full` voxels of `scale` cover from `origin`.
pub fn by_counts(scale: f64, origin: f64, full: u64, count: u64) -> (f64, f64) {
    let coarse = scale * full as f64 / count as f64;
    (coarse, origin + (coarse - scale) / 2.0)
}

/// Applies one transform after those before it; says whether it was a scale.
fn apply(placement: &mut Placement, transform: &Value, level: usize, warnings: &mut Vec<String>) -> bool {
    let kind = transform["type"].as_str().unwrap_or_default();
    let values = |key: &str| -> Option<Vec<f64>> {
        let values = transform[key].as_array()?;
        let values = values.iter().map(|v| json::number(v).unwrap_or(f64::NAN)).collect::<Vec<_>>();
        (values.len() == placement.scale.len()).then_some(values)
    };
    match (kind, values(kind)) {
        ("scale", Some(scale)) => {
            for (d, s) in scale.into_iter().enumerate() {
                placement.scale[d] *= s;
                placement.translation[d] *= s;
            }
            true
        }
        ("translation", Some(translation)) => {
            for (d, t) in translation.into_iter().enumerate() {
                placement.translation[d] += t;
            }
            false
        }
        ("identity", _) => false,
        _ => {
            warnings
                .push(format!("level {level}: a {kind:?} transformation that cannot be used is left out"));
            false
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use serde_json::json;

    fn check(
        lists: &[Value],
        common: Value,
        shapes: &[[u64; 2]],
        want: &[([f64; 2], [f64; 2])],
        warned: usize,
    ) {
        let shapes: Vec<Vec<u64>> = shapes.iter().map(|s| s.to_vec()).collect();
        let mut warnings = Vec::new();
        let lists: Vec<&Value> = lists.iter().collect();
        let got = place(&lists, &common, &shapes, &["y".into(), "x".into()], &mut warnings);
        let want: Vec<Placement> =
            want.iter().map(|(s, t)| Placement { scale: s.to_vec(), translation: t.to_vec() }).collect();
        assert_eq!(got, want, "{warnings:?}");
        assert_eq!(warnings.len(), warned, "{warnings:?}");
    }

    fn scale(s: [f64; 2]) -> Value {
        json!({"type": "scale", "scale": s})
    }

    #[test]
    fn lists_of_level_and_multiscales_are_combined_in_order() {
        let level = json!([scale([2.0, 3.0]), {"type": "translation", "translation": [1.0, "2.0"]}]);
        let common = json!([scale([10.0, 1.0]), {"type": "translation", "translation": [5.0, 0.0]}, {"type": "identity"}]);
        check(&[level], common, &[[4, 4]], &[([20.0, 3.0], [15.0, 2.0])], 0);
    }

    #[test]
    fn missing_scales_follow_the_voxel_counts() {
        check(
            &[Value::Null, Value::Null],
            Value::Null,
            &[[8, 9], [4, 3]],
            &[([1.0; 2], [0.0; 2]), ([2.0, 3.0], [0.5, 1.0])],
            1,
        );
        check(
            &[json!([scale([0.5, 0.5])]), Value::Null],
            Value::Null,
            &[[8, 8], [4, 4]],
            &[([0.5; 2], [0.0; 2]), ([1.0; 2], [0.25; 2])],
            1,
        );
    }

    #[test]
    fn scales_that_cannot_be_used_are_replaced_on_that_axis_alone() {
        check(
            &[json!([scale([0.0, 2.0])]), json!([scale([2.0, 4.0])])],
            Value::Null,
            &[[8, 8], [4, 4]],
            &[([1.0, 2.0], [0.0; 2]), ([2.0, 4.0], [0.5, 0.0])],
            1,
        );
        let nan = super::super::json::parse(br#"[{"type": "scale", "scale": [NaN, 2.0]}]"#).unwrap();
        check(&[nan], Value::Null, &[[8, 8]], &[([1.0, 2.0], [0.0; 2])], 1);
        check(&[json!([scale([-1.0, 2.0])])], Value::Null, &[[8, 8]], &[([1.0, 2.0], [0.0; 2])], 1);
    }

    #[test]
    fn transforms_that_do_not_fit_are_left_out_with_a_warning() {
        let list = json!([{"type": "scale", "scale": [1.0]}, {"type": "rotation"}, scale([2.0, 2.0])]);
        check(&[list], Value::Null, &[[8, 8]], &[([2.0; 2], [0.0; 2])], 2);
    }
}
