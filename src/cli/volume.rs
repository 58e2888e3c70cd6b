//! `lucida render --ndisplay 3`: how a volume is looked at, and what is cut away.

use super::{Failure, usage};
use clap::Args;
use lucida_components::{
    applied::ViewState,
    camera::{CameraDelta, CameraParts},
    clip::{Clip, ClipParts, ClipPlane},
    intent::Change,
    places,
};

/// What is drawn of three axes.
#[derive(Debug, Args)]
pub(super) struct Volume {
    /// Axes to display: 2 draws a plane, 3 a volume.
    #[arg(long, env = "LUCIDA_NDISPLAY", default_value_t = 2, value_parser = clap::value_parser!(u8).range(2..=3))]
    ndisplay: u8,
    /// Volume: azimuth, elevation and roll in degrees, `AZ,EL` or `AZ,EL,ROLL`.
    #[arg(long, env = "LUCIDA_ANGLES", allow_hyphen_values = true)]
    angles: Option<String>,
    /// Volume: distance from the centre in the image's units. All is shown where it is not given.
    #[arg(long, env = "LUCIDA_DISTANCE", allow_hyphen_values = true)]
    distance: Option<String>,
    /// Volume: vertical field of view in degrees, 60 where it is not given; 0 is orthographic.
    #[arg(long, env = "LUCIDA_FOV", allow_hyphen_values = true)]
    fov: Option<String>,
    /// Volume: the point looked at, `X,Y,Z` in the image's units; x is the last axis. The middle where it is not given.
    #[arg(long, env = "LUCIDA_CENTER", allow_hyphen_values = true)]
    center: Option<String>,
    /// Volume: part of an axis that is left, in the image's units: `z=10:50`, `z=10:`, `z=:50`.
    #[arg(long, env = "LUCIDA_CROP", value_delimiter = ',', allow_hyphen_values = true)]
    crop: Vec<String>,
    /// Volume: a plane that cuts away what its normal does not point to, `PX,PY,PZ,NX,NY,NZ`. Can be given six times.
    #[arg(long, env = "LUCIDA_CLIP_PLANE", value_delimiter = ';', allow_hyphen_values = true)]
    clip_plane: Vec<String>,
}

impl Volume {
    /// Whether three axes are displayed.
    pub(super) fn is_on(&self) -> bool {
        self.ndisplay == 3
    }

    /// What is asked for, checked, in the order in which it is to be applied.
    pub(super) fn changes(&self, state: &ViewState) -> Result<Vec<Change>, Failure> {
        if !self.is_on() {
            return self.refuse().map(|()| Vec::new());
        }
        let labels = &state.axes.labels;
        if labels.len() < 3 {
            let axes = labels.join(", ");
            return Err(usage(format!("--ndisplay 3: the image has {} axes: {axes}", labels.len())));
        }
        let mut changes = vec![Change::Ndisplay(self.ndisplay)];
        changes.extend(self.camera()?);
        if !self.crop.is_empty() || !self.clip_plane.is_empty() {
            let ranges = self.crop.iter().map(|text| crop(text, state)).collect::<Result<_, _>>()?;
            if self.clip_plane.len() > Clip::MOST_PLANES {
                return Err(usage(format!("--clip-plane: at most {} of them", Clip::MOST_PLANES)));
            }
            let planes = self.clip_plane.iter().map(|text| plane(text)).collect::<Result<Vec<_>, _>>()?;
            changes.push(Change::Clip(ClipParts { ranges, planes: Some(planes) }));
        }
        Ok(changes)
    }

    /// The pose: the angle of view first, because it decides from how far all is seen.
    fn camera(&self) -> Result<Vec<Change>, Failure> {
        let angles = self.angles.as_deref().map(angles).transpose()?;
        let fov = number(self.fov.as_deref(), "--fov", "0 (orthographic) up to 180 degrees", |v| {
            (0.0..180.0).contains(&v)
        })?;
        let distance = number(self.distance.as_deref(), "--distance", "a number > 0", |v| v > 0.0)?;
        let center = match self.center.as_deref() {
            None => None,
            Some(text) => match numbers(text).as_deref() {
                Some(&[x, y, z]) => Some(vec![x, y, z]),
                _ => return Err(usage(format!("--center {text}: X,Y,Z, three numbers"))),
            },
        };
        let looking = CameraParts { angles, fov, ..CameraParts::default() };
        let place = CameraParts { center, distance, ..CameraParts::default() };
        let set = |parts: CameraParts| {
            (parts != CameraParts::default()).then_some(Change::Camera(CameraDelta::Set(parts)))
        };
        let all = Change::Camera(CameraDelta::Reset);
        Ok(set(looking).into_iter().chain([all]).chain(set(place)).collect())
    }

    /// A plane has none of this.
    fn refuse(&self) -> Result<(), Failure> {
        let given = [
            ("--angles", self.angles.is_some()),
            ("--distance", self.distance.is_some()),
            ("--fov", self.fov.is_some()),
            ("--center", self.center.is_some()),
            ("--crop", !self.crop.is_empty()),
            ("--clip-plane", !self.clip_plane.is_empty()),
        ];
        match given.iter().find(|(_, given)| *given) {
            Some((option, _)) => {
                Err(usage(format!("{option} is for volumes: add --ndisplay 3, or leave it out")))
            }
            None => Ok(()),
        }
    }
}

/// Finite numbers between commas.
fn numbers(text: &str) -> Option<Vec<f64>> {
    text.split(',').map(|v| v.trim().parse().ok().filter(|v: &f64| v.is_finite())).collect()
}

fn number(
    text: Option<&str>,
    option: &str,
    what: &str,
    is_good: impl Fn(f64) -> bool,
) -> Result<Option<f64>, Failure> {
    let Some(text) = text else { return Ok(None) };
    match numbers(text).as_deref() {
        Some(&[value]) if is_good(value) => Ok(Some(value)),
        _ => Err(usage(format!("{option} {text}: {what}"))),
    }
}

fn angles(text: &str) -> Result<[f64; 3], Failure> {
    match numbers(text).as_deref() {
        Some(&[azimuth, elevation]) => Ok([azimuth, elevation, 0.0]),
        Some(&[azimuth, elevation, roll]) => Ok([azimuth, elevation, roll]),
        _ => Err(usage(format!("--angles {text}: AZIMUTH,ELEVATION or AZIMUTH,ELEVATION,ROLL in degrees"))),
    }
}

/// Reads `AXIS=FROM:TO`; an end that is left out is the image's.
fn crop(text: &str, state: &ViewState) -> Result<(String, Option<[f64; 2]>), Failure> {
    let axes = state.axes.labels.join(", ");
    let bad = || usage(format!("--crop {text}: AXIS=FROM:TO with FROM < TO, axes are {axes}"));
    let (axis, range) = text.split_once('=').ok_or_else(bad)?;
    let (from, to) = range.split_once(':').ok_or_else(bad)?;
    let number = state.axes.resolve(axis).ok_or_else(bad)?;
    let whole = places::world_extent(&state.dataset, number);
    let end = |text: &str, usual: f64| match text.trim() {
        "" => Some(usual),
        text => text.parse().ok().filter(|v: &f64| v.is_finite()),
    };
    match (end(from, whole[0]), end(to, whole[1])) {
        (Some(from), Some(to)) if from < to => Ok((axis.trim().into(), Some([from, to]))),
        _ => Err(bad()),
    }
}

fn plane(text: &str) -> Result<ClipPlane, Failure> {
    match numbers(text).as_deref() {
        Some(&[px, py, pz, nx, ny, nz]) if [nx, ny, nz].iter().any(|v| *v != 0.0) => {
            Ok(ClipPlane { position: [px, py, pz], normal: [nx, ny, nz] })
        }
        _ => Err(usage(format!(
            "--clip-plane {text}: PX,PY,PZ,NX,NY,NZ, a point and a normal that is not zero, x is the last axis"
        ))),
    }
}
