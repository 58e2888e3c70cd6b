//! Colormaps by the names that napari's users type.
//!
//! Perceptual maps (viridis, magma, inferno, plasma, turbo, cividis) come from the crate `colorous`
//! (Apache-2.0), which carries matplotlib's (CC0) and Google's tables.

use colorous::Gradient;

/// Entries of a table on the GPU.
pub const ENTRIES: usize = 256;

/// A colormap: a straight ramp from black to a colour, or a table.
#[derive(Debug, Clone, PartialEq)]
pub enum Colormap {
    /// `t · colour`.
    Ramp([f64; 3]),
    /// [`ENTRIES`] colours, 8 bits each.
    Table(Box<[[u8; 3]; ENTRIES]>),
}

/// Straight ramps by name.
const RAMPS: &[(&str, [u8; 3])] = &[
    ("gray", [255, 255, 255]),
    ("red", [255, 0, 0]),
    ("green", [0, 255, 0]),
    ("blue", [0, 0, 255]),
    ("cyan", [0, 255, 255]),
    ("magenta", [255, 0, 255]),
    ("yellow", [255, 255, 0]),
];

/// Tables by name.
const TABLES: &[(&str, Gradient)] = &[
    ("viridis", colorous::VIRIDIS),
    ("magma", colorous::MAGMA),
    ("inferno", colorous::INFERNO),
    ("plasma", colorous::PLASMA),
    ("cividis", colorous::CIVIDIS),
    ("turbo", colorous::TURBO),
];

/// Reversed grey: the one table that is computed.
const GRAY_R: &str = "gray_r";

/// Every name, in the order to be listed.
pub fn names() -> impl Iterator<Item = &'static str> {
    RAMPS.iter().map(|(n, _)| *n).chain([GRAY_R]).chain(TABLES.iter().map(|(n, _)| *n))
}

/// The canonical spelling of a name (any case) or of a colour `#rrggbb`; `None` if it is neither.
pub fn canonical(name: &str) -> Option<String> {
    let name = name.trim();
    if parse_hex(name).is_some() {
        return Some(name.to_ascii_lowercase());
    }
    names().find(|n| n.eq_ignore_ascii_case(name)).map(str::to_owned)
}

/// Looks a colormap up by name or `#rrggbb`.
pub fn lookup(name: &str) -> Option<Colormap> {
    if let Some(rgb) = parse_hex(name) {
        return Some(Colormap::Ramp(unit(rgb)));
    }
    if let Some((_, rgb)) = RAMPS.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)) {
        return Some(Colormap::Ramp(unit(*rgb)));
    }
    if name.eq_ignore_ascii_case(GRAY_R) {
        return Some(Colormap::Table(Box::new(std::array::from_fn(|i| [255 - i as u8; 3]))));
    }
    let (_, gradient) = TABLES.iter().find(|(n, _)| n.eq_ignore_ascii_case(name))?;
    Some(Colormap::Table(Box::new(std::array::from_fn(|i| {
        let c = gradient.eval_rational(i, ENTRIES);
        [c.r, c.g, c.b]
    }))))
}

impl Colormap {
    /// The colour of a normalised value in `[0, 1]`, components in `[0, 1]`. Tables take the nearest entry.
    pub fn eval(&self, t: f64) -> [f64; 3] {
        match self {
            Self::Ramp(c) => c.map(|c| c * t),
            Self::Table(table) => unit(table[(t * (ENTRIES - 1) as f64 + 0.5).floor() as usize]),
        }
    }
}

fn unit(rgb: [u8; 3]) -> [f64; 3] {
    rgb.map(|c| f64::from(c) / 255.0)
}

fn parse_hex(text: &str) -> Option<[u8; 3]> {
    let hex = text.strip_prefix('#')?;
    if hex.len() != 6 || !hex.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let n = u32::from_str_radix(hex, 16).ok()?;
    Some([(n >> 16) as u8, (n >> 8) as u8, n as u8])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_any_case_and_colours_by_hex() {
        for name in names() {
            assert!(lookup(&name.to_uppercase()).is_some(), "{name}");
        }
        assert_eq!(lookup("#ff8000"), Some(Colormap::Ramp([1.0, 128.0 / 255.0, 0.0])));
        assert_eq!(lookup("#ff80"), None);
        assert_eq!(lookup("nothing"), None);
        assert_eq!(canonical(" Viridis "), Some("viridis".into()));
    }

    #[test]
    fn ends_of_the_tables_are_the_published_ones() {
        // matplotlib's viridis begins (68, 1, 84) and ends (253, 231, 37).
        let viridis = lookup("viridis").expect("viridis");
        assert_eq!(viridis.eval(0.0).map(|c| (c * 255.0).round() as u8), [68, 1, 84]);
        assert_eq!(viridis.eval(1.0).map(|c| (c * 255.0).round() as u8), [253, 231, 37]);
        assert_eq!(lookup("gray_r").expect("gray_r").eval(0.0), [1.0; 3]);
    }
}
