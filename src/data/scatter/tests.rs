//! Scattered volumes: chunks against single values, levels against the finest, shares against what was asked for.
#![expect(clippy::unwrap_used, reason = "tests")]
use super::*;

const OBJECTS: Content = Content::Objects { occupancy: 0.5 };

fn chunk(opened: &Opened, level: u16, number: u64) -> Vec<u16> {
    match opened.sources[0].1.read(level, number).unwrap().values {
        ChunkValues::Dense(bytes) => {
            bytes.as_chunks::<2>().0.iter().map(|pair| u16::from_ne_bytes(*pair)).collect()
        }
        ChunkValues::Uniform(_) => panic!("these chunks are dense"),
    }
}

/// A whole level, from its chunks.
fn level(spec: &ScatterSpec, opened: &Opened, level: u16) -> Vec<u16> {
    let geometry = &opened.dataset.images[0].levels[usize::from(level)];
    let shape = spec.level_shape(level).map(|s| s as usize);
    let mut out = vec![0; shape.iter().product()];
    for number in 0..geometry.grid().product() {
        let values = chunk(opened, level, number);
        let at = geometry.chunk_at(number);
        for (n, value) in values.iter().enumerate() {
            let mut rest = n as u64;
            let mut place = [0; 4];
            for d in (0..4).rev() {
                place[d] = (at[d] * geometry.chunk[d] + rest % geometry.chunk[d]) as usize;
                rest /= geometry.chunk[d];
            }
            if place.iter().zip(shape).all(|(p, s)| *p < s) {
                out[place.iter().zip(shape).fold(0, |n, (p, s)| n * s + p)] = *value;
            } else {
                assert_eq!(*value, 0, "beyond the image");
            }
        }
    }
    out
}

#[test]
fn chunks_hold_what_value_at_says() {
    for content in [OBJECTS, Content::Noise] {
        let spec = ScatterSpec { shape: [2, 130, 70, 201], chunk: 48, content, ..Default::default() };
        let opened = scatter(spec.clone());
        assert_eq!(opened.dataset.images[0].levels.len(), 3);
        for l in 0..3 {
            let values = level(&spec, &opened, l);
            let [c, z, y, x] = spec.level_shape(l);
            for n in (0..values.len() as u64).step_by(4001) {
                let at = [n / x / y / z % c, n / x / y % z, n / x % y, n % x];
                assert_eq!(
                    values[n as usize],
                    value_at(&spec, l, at),
                    "{content:?}, level {l}, voxel {at:?}"
                );
            }
        }
    }
}

#[test]
fn the_same_spec_is_the_same_image_another_seed_or_channel_is_not() {
    for content in [Content::Objects { occupancy: 1.0 }, Content::Noise] {
        let read = |seed, number| {
            let spec = ScatterSpec { seed, shape: [2, 64, 64, 64], content, ..Default::default() };
            chunk(&scatter(spec), 0, number)
        };
        let first = read(1, 0);
        assert!(first == read(1, 0) && first != read(2, 0) && first != read(1, 1), "{content:?}");
    }
}

/// Without grain, to rounding; with it, on the whole.
#[test]
fn every_level_is_the_mean_of_the_finest() {
    for (grain, near) in [(0.0, 1e-5), (0.35, 0.003)] {
        let spec = ScatterSpec { shape: [1, 257, 130, 190], content: OBJECTS, grain, ..Default::default() };
        let opened = scatter(spec.clone());
        let fine = level(&spec, &opened, 0);
        let [_, nz, ny, nx] = spec.shape;
        for l in 1..spec.levels() {
            let coarse = level(&spec, &opened, l);
            let [_, cz, cy, cx] = spec.level_shape(l);
            let (mut off, mut all) = (0.0, 0.0);
            for n in 0..cz * cy * cx {
                let at = [n / cx / cy, n / cx % cy, n % cx];
                let span = |d: usize, extent: u64| at[d] << l..((at[d] + 1) << l).min(extent);
                let (mut sum, mut count) = (0.0, 0.0);
                for z in span(0, nz) {
                    for y in span(1, ny) {
                        for x in span(2, nx) {
                            sum += f64::from(fine[((z * ny + y) * nx + x) as usize]);
                            count += 1.0;
                        }
                    }
                }
                let (want, got) = (sum / count, f64::from(coarse[n as usize]));
                assert!(grain > 0.0 || (want - got).abs() <= 1.0, "level {l} {at:?}: {got} for {want}");
                off += got - want;
                all += want;
            }
            assert!((off / all).abs() < near, "grain {grain}, level {l}: {off} of {all}");
        }
    }
}

#[test]
fn as_many_regions_have_an_object_as_was_asked_for() {
    let n = 4;
    let side = n * REGION + 1;
    for occupancy in [0.0, 0.05, 0.5, 1.0] {
        let spec = ScatterSpec::cube(side, Content::Objects { occupancy });
        let values = level(&spec, &scatter(spec.clone()), 0);
        let mut seen = vec![false; (n * n * n) as usize];
        for (at, value) in values.iter().enumerate() {
            let at = at as u64;
            let place = [at / side / side, at / side % side, at % side];
            if *value != BACKGROUND {
                // A brick has the first voxel of the next region too: it sees no other object there.
                assert!(place.iter().all(|p| p % REGION > 0), "{place:?} is {value}");
                seen[place.iter().fold(0, |k, p| k * n + p / REGION) as usize] = true;
            }
        }
        let share = seen.iter().filter(|s| **s).count() as f64 / seen.len() as f64;
        let spread = 3.5 * (occupancy * (1.0 - occupancy) / seen.len() as f64).sqrt();
        assert!((share - occupancy).abs() <= spread, "{share} for {occupancy}");
    }
}

#[test]
fn noise_fills_the_range_and_calms_down_with_the_level() {
    let spec = ScatterSpec::cube(128, Content::Noise);
    let opened = scatter(spec.clone());
    for l in 0..2 {
        let values: Vec<f64> = level(&spec, &opened, l).into_iter().map(f64::from).collect();
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let deviation = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt();
        let want = 65_535.0 / 12.0_f64.sqrt() / 8.0_f64.powi(i32::from(l)).sqrt();
        assert!((mean - 32_767.5).abs() < 200.0 && (deviation / want - 1.0).abs() < 0.02);
        // Each cell of 16³ has a value near the largest: no ray can pass it by.
        assert!(l > 0 || values.chunks(4096).all(|c| c.iter().any(|v| *v > 65_000.0)));
    }
}

#[test]
fn a_volume_of_many_tebibytes_has_small_and_bright_coarse_levels() {
    for side in [8192, 1 << 20] {
        let spec = ScatterSpec::cube(side, Content::Objects { occupancy: 0.6 });
        let opened = scatter(spec.clone());
        let levels = &opened.dataset.images[0].levels;
        assert_eq!(levels.last().unwrap().shape, [1, 64, 64, 64]);
        for (l, level) in levels.iter().enumerate() {
            let last = level.grid().product::<u64>() - 1;
            let values = chunk(&opened, l as u16, last / 2);
            assert_eq!(values.len(), 64 * 64 * 64);
            if l + 1 == levels.len() {
                let mean = values.iter().map(|v| f64::from(*v)).sum::<f64>() / values.len() as f64;
                assert!((2000.0..20_000.0).contains(&mean), "{side}: {mean}");
            }
        }
        assert!(opened.sources[0].1.read(levels.len() as u16, 0).is_err());
        assert!(opened.sources[0].1.read(0, u64::MAX).is_err());
    }
}
