//! Colormaps by the names that users of napari and matplotlib type.
//!
//! Straight ramps are computed; tables are data in `assets/colormaps`, whose README names their sources and
//! terms. Each name with `_r` behind it is the same map reversed.

/// Entries of a table on the GPU.
pub const ENTRIES: usize = 256;

/// Bytes of one table as it is stored: red, green, blue of each entry.
const STORED: usize = ENTRIES * 3;

/// Names of the tables, one a line, and the tables in the same order.
const NAMES: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../assets/colormaps/names.txt"));
const TABLES: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../assets/colormaps/tables.bin"));

/// What makes a reversed map of any.
const REVERSED: &str = "_r";

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
    ("grey", [255, 255, 255]),
    ("red", [255, 0, 0]),
    ("green", [0, 255, 0]),
    ("blue", [0, 0, 255]),
    ("cyan", [0, 255, 255]),
    ("magenta", [255, 0, 255]),
    ("yellow", [255, 255, 0]),
];

/// Ramps and tables, each once, in the order to be listed.
fn base() -> impl Iterator<Item = &'static str> {
    RAMPS.iter().map(|(n, _)| *n).chain(NAMES.lines())
}

/// Every name to be listed: all maps, and of the reversed ones the grey. The others are known too.
pub fn names() -> impl Iterator<Item = &'static str> {
    let (ramps, tables) = (RAMPS.len(), NAMES.lines());
    base().take(ramps).filter(|n| *n != "grey").chain(["gray_r"]).chain(tables)
}

/// A sentence for who named a colormap that there is none of.
pub fn unknown(name: &str) -> String {
    format!(
        "there is no colormap {name:?}; there are those of napari and matplotlib, for example gray, \
         viridis, magma or turbo, each also with _r behind it, and #rrggbb"
    )
}

/// The canonical spelling of a name (any case) or of a colour `#rrggbb`; `None` if it is neither.
pub fn canonical(name: &str) -> Option<String> {
    let name = name.trim();
    if parse_hex(name).is_some() {
        return Some(name.to_ascii_lowercase());
    }
    let (known, reversed) = find(name)?;
    Some(format!("{known}{}", if reversed { REVERSED } else { "" }))
}

/// Looks a colormap up by name or `#rrggbb`.
pub fn lookup(name: &str) -> Option<Colormap> {
    if let Some(rgb) = parse_hex(name) {
        return Some(Colormap::Ramp(unit(rgb)));
    }
    let (name, reversed) = find(name)?;
    if let Some((_, rgb)) = RAMPS.iter().find(|(n, _)| *n == name) {
        if !reversed {
            return Some(Colormap::Ramp(unit(*rgb)));
        }
        let end = (ENTRIES - 1) as f64;
        let entry = |i: usize| unit(*rgb).map(|c| (c * (end - i as f64)).round() as u8);
        return Some(Colormap::Table(Box::new(std::array::from_fn(entry))));
    }
    let at = NAMES.lines().position(|n| n == name)? * STORED;
    let table = TABLES.get(at..at + STORED)?;
    Some(Colormap::Table(Box::new(std::array::from_fn(|i| {
        let i = if reversed { ENTRIES - 1 - i } else { i };
        [table[3 * i], table[3 * i + 1], table[3 * i + 2]]
    }))))
}

/// The map that a name in any case means, and whether it is to be reversed.
fn find(name: &str) -> Option<(&'static str, bool)> {
    let named = |name: &str| base().find(|n| n.eq_ignore_ascii_case(name));
    if let Some(known) = named(name) {
        return Some((known, false));
    }
    let at = name.len().checked_sub(REVERSED.len())?;
    let (stem, suffix) = (name.get(..at)?, name.get(at..)?);
    suffix.eq_ignore_ascii_case(REVERSED).then(|| named(stem)).flatten().map(|known| (known, true))
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

    fn table(name: &str) -> Box<[[u8; 3]; ENTRIES]> {
        match lookup(name) {
            Some(Colormap::Table(table)) => table,
            other => panic!("{name}: {other:?}"),
        }
    }

    #[test]
    fn names_are_found_in_any_case_reversed_and_colours_by_hex() {
        for name in names().chain(["grey"]) {
            assert!(lookup(&name.to_uppercase()).is_some(), "{name}");
            assert_eq!(canonical(&format!(" {} ", name.to_uppercase())).as_deref(), Some(name));
            let reversed = format!("{name}_R").to_lowercase();
            if name != "gray_r" {
                assert_eq!(canonical(&reversed), Some(format!("{name}_r")));
                let (map, back) = (lookup(name).expect(name), lookup(&reversed).expect(name));
                for t in [0.0, 0.2, 1.0] {
                    let close = |(a, b): (f64, f64)| (a - b).abs() < 1.0 / 255.0;
                    assert!(map.eval(t).into_iter().zip(back.eval(1.0 - t)).all(close), "{name}");
                }
            }
        }
        assert_eq!(lookup("#ff8000"), Some(Colormap::Ramp([1.0, 128.0 / 255.0, 0.0])));
        for wrong in ["#ff80", "#ff8000_r", "nothing", "_r", "", "é_r", "labels", "viridis_r_r"] {
            assert_eq!(lookup(wrong), None, "{wrong}");
            assert_eq!(canonical(wrong), None, "{wrong}");
        }
        assert_eq!(canonical("i bordeaux"), Some("I Bordeaux".into()));
    }

    #[test]
    fn each_name_stands_for_one_table_whatever_its_case() {
        assert_eq!(TABLES.len(), NAMES.lines().count() * STORED);
        let mut all: Vec<String> = base().map(str::to_lowercase).collect();
        all.sort();
        let before = all.len();
        all.dedup();
        assert_eq!((all.len(), before > 100), (before, true));
        assert!(all.iter().all(|n| !n.ends_with(REVERSED)));
    }

    #[test]
    fn what_napari_and_matplotlib_list_is_there() {
        let listed = "viridis, magma, inferno, plasma, hsv, turbo, twilight, twilight_shifted, gist_earth, PiYG, \
            bop blue, bop orange, bop purple, I Blue, I Bordeaux, I Forest, I Orange, I Purple, gray_r, fire, ice, \
            HiLo, cubehelix, jet, hot, Spectral, coolwarm, RdBu_r, tab10, Set1, terrain, nipy_spectral, berlin, husl";
        for name in listed.split(", ") {
            assert_eq!(canonical(name).as_deref(), Some(name));
        }
    }

    #[test]
    fn entries_are_the_published_ones() {
        // First, 65th, 129th and last entry as matplotlib publishes them.
        let published: [(&str, [[u8; 3]; 4]); 5] = [
            ("viridis", [[68, 1, 84], [59, 82, 139], [33, 145, 140], [253, 231, 37]]),
            ("turbo", [[48, 18, 59], [40, 188, 235], [164, 252, 60], [122, 4, 3]]),
            ("PiYG", [[142, 1, 82], [232, 151, 196], [247, 247, 246], [39, 100, 25]]),
            ("twilight", [[226, 217, 226], [98, 117, 186], [48, 20, 55], [226, 217, 226]]),
            ("jet", [[0, 0, 128], [0, 128, 255], [125, 255, 122], [128, 0, 0]]),
        ];
        for (name, want) in published {
            assert_eq!([0, 64, 128, 255].map(|i| table(name)[i]), want, "{name}");
        }
        // Of ten colours, each takes a tenth.
        assert_eq!((table("tab10")[0], table("tab10")[255]), ([31, 119, 180], [23, 190, 207]));
        // napari's inverse maps begin white.
        assert_eq!((table("I Blue")[0], table("I Blue")[255]), ([255; 3], [0, 51, 204]));
        assert_eq!(lookup("gray_r").expect("gray_r").eval(0.0), [1.0; 3]);
        assert_eq!(table("red_r")[255], [0; 3]);
    }
}
