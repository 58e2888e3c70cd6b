//! Colormaps by names that napari has, whatever the page made of a layer.

use lucida_components::colormap::{Colormap, lookup};
use std::sync::LazyLock;

/// What napari lists. Its own name for a map is told as it is.
const KNOWN: [&str; 29] = [
    "gray",
    "red",
    "green",
    "blue",
    "cyan",
    "magenta",
    "yellow",
    "viridis",
    "magma",
    "inferno",
    "plasma",
    "gray_r",
    "hsv",
    "turbo",
    "twilight",
    "twilight_shifted",
    "gist_earth",
    "PiYG",
    "fire",
    "ice",
    "HiLo",
    "bop blue",
    "bop orange",
    "bop purple",
    "I Blue",
    "I Bordeaux",
    "I Forest",
    "I Orange",
    "I Purple",
];

/// The names of ramps from black: of a colour only its direction counts, because they differ in brightness alone.
const RAMPS: usize = 7;

/// Middle and end of each known map.
static COLOURS: LazyLock<Vec<[[f64; 3]; 2]>> = LazyLock::new(|| {
    KNOWN
        .iter()
        .map(|name| lookup(name).map_or([[0.0; 3]; 2], |map| [map.eval(0.5), map.eval(1.0)]))
        .collect()
});

/// napari's name for a colormap, or for the one of napari's that is most like it.
pub fn name(colormap: &str) -> &str {
    if KNOWN.contains(&colormap) {
        return colormap;
    }
    match lookup(colormap) {
        Some(Colormap::Ramp(colour)) => nearest(&KNOWN[..RAMPS], |[_, end]| apart(unit(colour), unit(*end))),
        // The end is what bright things look like; the middle decides between maps that end alike.
        Some(table) => {
            let [middle, end] = [table.eval(0.5), table.eval(1.0)];
            nearest(&KNOWN, |known| 8.0 * apart(end, known[1]) + apart(middle, known[0]))
        }
        None => KNOWN[0],
    }
}

fn nearest(names: &[&'static str], distance: impl Fn(&[[f64; 3]; 2]) -> f64) -> &'static str {
    let all = names.iter().zip(COLOURS.iter()).map(|(name, colours)| (*name, distance(colours)));
    all.min_by(|a, b| a.1.total_cmp(&b.1)).map_or(KNOWN[0], |(name, _)| name)
}

fn apart(a: [f64; 3], b: [f64; 3]) -> f64 {
    (0..3).map(|i| (a[i] - b[i]).powi(2)).sum::<f64>().sqrt()
}

/// The direction of a colour from black; of black that of white.
fn unit(colour: [f64; 3]) -> [f64; 3] {
    let length = apart(colour, [0.0; 3]);
    if length == 0.0 { [1.0 / 3f64.sqrt(); 3] } else { colour.map(|c| c / length) }
}
