pub mod params;
pub mod record;
