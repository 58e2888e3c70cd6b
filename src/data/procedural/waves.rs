//! A smooth random field: a sum of plane waves, of mean 0 and variance 1. Along each axis a wave is one
//! sine, so a voxel costs four multiplications per wave and no sine at all.

use super::{hash, lattice::Lattice};

/// One plane wave.
#[derive(Debug, Clone)]
struct Wave {
    /// Radians per micrometre along z, y, x.
    k: [f64; 3],
    phase: f64,
    /// Radians per time point.
    omega: f64,
}

/// The sum of some waves.
#[derive(Debug, Clone)]
pub struct Waves(Vec<Wave>);

/// A sum of waves tabulated for one region: cheap to evaluate row by row.
pub struct Tabulated(Vec<Table>);

/// Sines and cosines of one wave along the axes of a region.
struct Table {
    amplitude: f32,
    /// `[sin, cos]` along z, the phase included.
    along_z: Vec<[f32; 2]>,
    /// `[sin, cos]` along y.
    along_y: Vec<[f32; 2]>,
    /// Along x apart, for a loop over whole rows.
    sines: Vec<f32>,
    /// Likewise.
    cosines: Vec<f32>,
}

impl Waves {
    /// One wave per wavelength (micrometres), in random directions and phases.
    pub fn new(seed: u64, wavelengths: impl IntoIterator<Item = f64>, omega: f64) -> Self {
        let waves = wavelengths.into_iter().enumerate().map(|(n, wavelength)| {
            let u = |salt: u64| hash::unit(hash::mix(&[seed, n as u64, salt]));
            // Directions go round by the golden ratio: few waves by chance alone would make a plaid.
            let z = (2.0 * u(0) - 1.0) * 0.8;
            let turn = hash::unit(seed) + 0.618_034 * n as f64 + 0.1 * u(1);
            let (angle, r) = (std::f64::consts::TAU * turn, (1.0 - z * z).sqrt());
            let k = std::f64::consts::TAU / wavelength;
            let direction = [z, r * angle.sin(), r * angle.cos()];
            Wave {
                k: direction.map(|d| d * k),
                phase: std::f64::consts::TAU * u(2),
                omega: omega * (2.0 * u(3) - 1.0),
            }
        });
        Self(waves.collect())
    }

    /// Tables for a region at a time point. A wave finer than the voxels fades as their mean does.
    pub fn tabulate(&self, lattice: &Lattice, t: u64) -> Tabulated {
        let amplitude = (2.0 / self.0.len().max(1) as f64).sqrt();
        let waves = self.0.iter().map(|wave| {
            let fade: f64 = (0..3).map(|d| sinc(wave.k[d] * lattice.voxel[d] / 2.0)).product();
            let along = |d: usize, phase: f64| {
                (0..lattice.size[d]).map(move |i| (wave.k[d] * lattice.center(d, i) + phase).sin_cos())
            };
            let pairs = |d, phase| along(d, phase).map(|(s, c)| [s as f32, c as f32]).collect();
            let along_z = pairs(0, wave.phase + wave.omega * t as f64);
            let (sines, cosines) = along(2, 0.0).map(|(s, c)| (s as f32, c as f32)).unzip();
            Table { amplitude: (amplitude * fade) as f32, along_z, along_y: pairs(1, 0.0), sines, cosines }
        });
        Tabulated(waves.collect())
    }
}

impl Tabulated {
    /// Writes the field along the row `z, y` of the region.
    pub fn row(&self, z: usize, y: usize, out: &mut [f32]) {
        out.fill(0.0);
        for Table { amplitude, along_z, along_y, sines, cosines } in &self.0 {
            let ([sz, cz], [sy, cy]) = (along_z[z], along_y[y]);
            let (s, c) = (amplitude * (sy * cz + cy * sz), amplitude * (cy * cz - sy * sz));
            for ((out, sx), cx) in out.iter_mut().zip(sines).zip(cosines) {
                *out += sx * c + cx * s;
            }
        }
    }
}

fn sinc(x: f64) -> f64 {
    if x.abs() < 1e-6 { 1.0 } else { x.sin() / x }
}
