//! What the image shows: photons per voxel of three kinds of channel, as a continuous function of place
//! and time that every level evaluates at its own voxel centres.

use super::{ProceduralSpec, blobs::Blobs, hash, lattice::Lattice, waves::Waves};

/// The kinds of channel, in turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Nuclei with a grainy inside.
    Nuclei,
    /// Thin sheets; lines in a slice.
    Membrane,
    /// A soft glow with bright vesicles.
    Cytosol,
}

impl Kind {
    /// The kind of a channel.
    pub fn of(channel: u64) -> Self {
        [Self::Nuclei, Self::Membrane, Self::Cytosol][(channel % 3) as usize]
    }

    /// Name, colour and the photons that a display window should span.
    pub fn recipe(self) -> (&'static str, &'static str, [f64; 2]) {
        match self {
            Self::Nuclei => ("nuclei", "#3c8cff", [3.0, 150.0]),
            Self::Membrane => ("membrane", "#ff46a0", [3.0, 110.0]),
            Self::Cytosol => ("cytosol", "#64ff78", [4.0, 120.0]),
        }
    }
}

/// Means that stand for what is lost in coarse voxels, measured on fine ones.
const MEAN_NUCLEI: f32 = 0.15;
const SHARE_OF_LOBES: f32 = 0.65;
const MEAN_SHEETS: f32 = 0.215;
const MEAN_VESICLES: f32 = 0.006;

/// Half width of a sheet, in units of its field.
const SHEET: f32 = 0.18;
/// Mean wavelength of the sheets' field, micrometres.
const SHEET_WAVELENGTH: f64 = 18.0;

/// The fields of one image.
pub struct Field {
    seed: u64,
    noise: f32,
    tissue: Waves,
    nuclei: Blobs,
    grain: Waves,
    sheets: Waves,
    strength: Waves,
    glow: Waves,
    vesicles: Blobs,
}

impl Field {
    /// The fields of a spec.
    pub fn new(spec: &ProceduralSpec) -> Self {
        let seed = |n: u64| hash::mix(&[spec.seed, n]);
        // Structure at every scale from a few cells to the whole image, so that no zoom shows a flat grey.
        let extent = (2..4).map(|d| spec.shape[d + 1] as f64 * spec.spacing[d]).fold(100.0, f64::max);
        let octaves = ((extent / 60.0).log2().ceil().max(1.0) as usize).clamp(3, 8);
        let ratio = (1.3 * extent / 60.0).powf(1.0 / (octaves - 1) as f64);
        let span = |low: f64, high: f64, n: usize| {
            (0..n).map(move |i| low + (high - low) * i as f64 / (n - 1) as f64)
        };
        Self {
            seed: spec.seed,
            noise: spec.noise as f32,
            tissue: Waves::new(seed(1), (0..octaves).map(|i| 60.0 * ratio.powi(i as i32)), 0.0),
            nuclei: Blobs {
                seed: seed(2),
                cell: 15.0,
                share: 0.8,
                sigma: [2.6, 4.0],
                pair: true,
                drift: 1.5,
            },
            grain: Waves::new(seed(3), span(2.0, 6.0, 8), 0.3),
            sheets: Waves::new(seed(4), span(SHEET_WAVELENGTH - 5.0, SHEET_WAVELENGTH + 5.0, 8), 0.25),
            strength: Waves::new(seed(5), span(20.0, 45.0, 4), 0.2),
            glow: Waves::new(seed(6), span(14.0, 60.0, 8), 0.4),
            vesicles: Blobs {
                seed: seed(7),
                cell: 6.0,
                share: 0.35,
                sigma: [0.35, 0.6],
                pair: false,
                drift: 1.0,
            },
        }
    }

    /// Fills a region of a level with photons, noise included. `averaged` is the number of finest voxels
    /// in one of this level: noise falls with its square root.
    pub fn photons(
        &self,
        lattice: &Lattice,
        level: u16,
        t: u64,
        channel: u64,
        averaged: f64,
        out: &mut [f32],
    ) {
        // Channels beyond the third look like one of the first three, at another place.
        let mut shifted = lattice.clone();
        shifted.first[2] += (channel / 3) as f64 * 977.0;
        let lattice = &shifted;
        out.fill(0.0);
        let tissue = self.tissue.tabulate(lattice, 0);
        match Kind::of(channel) {
            Kind::Nuclei => self.fill_nuclei(lattice, t, out),
            Kind::Membrane => self.fill_sheets(lattice, t, out),
            Kind::Cytosol => self.fill_cytosol(lattice, t, out),
        }
        let noise = self.noise / (averaged.sqrt() as f32);
        let background = if Kind::of(channel) == Kind::Cytosol { 6.0 } else { 3.0 };
        let nx = lattice.size[2];
        let mut tissue_row = vec![0.0; nx];
        for (row, out) in out.chunks_exact_mut(nx).enumerate() {
            let (z, y) = (row / lattice.size[1], row % lattice.size[1]);
            tissue.row(z, y, &mut tissue_row);
            let (z, y) = (lattice.origin[0] + z as u64, lattice.origin[1] + y as u64);
            let h = hash::mix(&[self.seed, u64::from(level), t, channel, z, y]) as u32;
            for (x, (out, tissue)) in out.iter_mut().zip(&tissue_row).enumerate() {
                let photons = background + *out * smooth_step(-0.9, 0.5, *tissue);
                let grain = hash::normal(h, (lattice.origin[2] + x as u64) as u32);
                *out = photons + noise * grain * photons.sqrt();
            }
        }
    }

    fn fill_nuclei(&self, lattice: &Lattice, t: u64, out: &mut [f32]) {
        let lost = self.nuclei.lost(lattice.voxel);
        if lost < 1.0 {
            self.nuclei.add(lattice, t, out);
        }
        // A voxel that is no longer small beside a nucleus covers it in part: the share follows the sum of
        // the lobes, not its threshold.
        let soft = ((lattice.voxel[1].max(lattice.voxel[2]) - 1.5) / 4.0).clamp(0.0, 1.0) as f32;
        let grain = self.grain.tabulate(lattice, t);
        let mut grain_row = vec![0.0; lattice.size[2]];
        for (row, out) in out.chunks_exact_mut(lattice.size[2]).enumerate() {
            grain.row(row / lattice.size[1], row % lattice.size[1], &mut grain_row);
            for (out, grain) in out.iter_mut().zip(&grain_row) {
                let inside = lerp(smooth_step(0.3, 0.65, *out), SHARE_OF_LOBES * *out, soft);
                *out = 150.0 * lerp(inside, MEAN_NUCLEI, lost) * (0.8 + 0.16 * grain);
            }
        }
    }

    fn fill_sheets(&self, lattice: &Lattice, t: u64, out: &mut [f32]) {
        let (sheets, strength) = (self.sheets.tabulate(lattice, t), self.strength.tabulate(lattice, t));
        let voxel = lattice.voxel[1].max(lattice.voxel[2]);
        // A voxel sees the field change by its slope: the sheet seems wider and dimmer.
        let slope = (std::f64::consts::TAU / SHEET_WAVELENGTH * voxel) as f32;
        let width = (SHEET * SHEET + slope * slope / 12.0).sqrt();
        let lost = ((voxel / SHEET_WAVELENGTH - 0.12) / 0.3).clamp(0.0, 1.0) as f32;
        let mut row_of = [vec![0.0; lattice.size[2]], vec![0.0; lattice.size[2]]];
        for (row, out) in out.chunks_exact_mut(lattice.size[2]).enumerate() {
            let (z, y) = (row / lattice.size[1], row % lattice.size[1]);
            let [field, gain] = &mut row_of;
            sheets.row(z, y, field);
            strength.row(z, y, gain);
            for ((out, field), gain) in out.iter_mut().zip(field).zip(gain) {
                let f = *field / width;
                let sheet = SHEET / width / (1.0 + f * f);
                *out = 110.0 * lerp(sheet, MEAN_SHEETS, lost) * (0.4 + 0.6 * smooth_step(-1.5, 1.5, *gain));
            }
        }
    }

    fn fill_cytosol(&self, lattice: &Lattice, t: u64, out: &mut [f32]) {
        let lost = self.vesicles.lost(lattice.voxel);
        if lost < 1.0 {
            self.vesicles.add(lattice, t, out);
        }
        let glow = self.glow.tabulate(lattice, t);
        let mut glow_row = vec![0.0; lattice.size[2]];
        for (row, out) in out.chunks_exact_mut(lattice.size[2]).enumerate() {
            glow.row(row / lattice.size[1], row % lattice.size[1], &mut glow_row);
            for (out, glow) in out.iter_mut().zip(&glow_row) {
                *out = 45.0 * smooth_step(-2.2, 2.2, *glow) + 160.0 * lerp(*out, MEAN_VESICLES, lost);
            }
        }
    }
}

fn smooth_step(low: f32, high: f32, v: f32) -> f32 {
    let u = ((v - low) * (1.0 / (high - low))).clamp(0.0, 1.0);
    u * u * (3.0 - 2.0 * u)
}

fn lerp(a: f32, b: f32, t: f32) -> f32 {
    a + (b - a) * t
}
