//! What a user can say about data that does not say it itself; the same for every command that opens some.

use crate::data::open::Options;
use clap::Args;
use std::{convert::Infallible, str::FromStr};

/// How data is read.
#[derive(Debug, Clone, Default, Args)]
pub struct Reading {
    /// Names of the axes in array order, for arrays that name none: `tczyx`, or `time,c,y,x`.
    #[arg(long, env = "LUCIDA_AXES")]
    axes: Option<AxisNames>,
}

/// Names of axes: one letter each, or words between commas.
#[derive(Debug, Clone)]
struct AxisNames(Vec<String>);

impl FromStr for AxisNames {
    type Err = Infallible;

    /// Whatever is written: whether the names fit is said with the array that they are for.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(if text.contains(',') {
            text.split(',').map(|name| name.trim().to_owned()).collect()
        } else {
            text.trim().chars().map(String::from).collect()
        }))
    }
}

impl Reading {
    /// For [`crate::data::open::open_with`].
    pub fn options(&self) -> Options {
        Options { axes: self.axes.as_ref().map(|names| names.0.clone()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_or_words() {
        let names = |text: &str| text.parse::<AxisNames>().unwrap().0;
        assert_eq!(names("tczyx"), ["t", "c", "z", "y", "x"]);
        assert_eq!(names("time, y,x"), ["time", "y", "x"]);
    }
}
