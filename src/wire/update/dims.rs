//! Scopes `view` and `dims`.

use super::{
    Asked,
    read::{integer, integer_like, number},
};
use crate::wire::fields::MAX_LIST;
use lucida_components::{
    fault::Rejection,
    intent::{Change, Grid},
};

pub(super) fn view(asked: &Asked<'_>) -> Result<Change, Rejection> {
    if asked.key != "ndisplay" {
        return Err(asked.unsupported_key());
    }
    let asked_for = if asked.value.is_null() { Some(2) } else { integer_like(asked.value) };
    match asked_for {
        Some(n) => Ok(Change::Ndisplay(if n >= 3 { 3 } else { 2 })),
        None => Err(Rejection::invalid("ndisplay must be integer")),
    }
}

pub(super) fn dims(asked: &Asked<'_>) -> Result<Change, Rejection> {
    match asked.key {
        "index" => Ok(Change::Index { axis: axis(asked)?, value: whole(asked)?, grid: Grid::Level }),
        "scene_index" => Ok(Change::Index { axis: axis(asked)?, value: whole(asked)?, grid: Grid::Scene }),
        "step" => Ok(Change::Step { axis: axis(asked)?, delta: whole(asked)? }),
        "margins" => Ok(Change::Margins { axis: axis(asked)?, margins: margins(asked)? }),
        "order" => {
            asked.on_main()?;
            order(asked)
        }
        _ => Err(asked.unsupported_key()),
    }
}

fn axis(asked: &Asked<'_>) -> Result<String, Rejection> {
    if asked.target.is_empty() {
        return Err(Rejection::invalid("the target of dims is an axis, by label or number"));
    }
    Ok(asked.target.to_owned())
}

fn whole(asked: &Asked<'_>) -> Result<i64, Rejection> {
    integer(asked.value, "the value")
}

fn margins(asked: &Asked<'_>) -> Result<[f64; 2], Rejection> {
    let bad = || Rejection::invalid("margins are [before, after], both >= 0");
    let list = asked.value.as_array().filter(|l| l.len() == 2).ok_or_else(bad)?;
    let [before, after] = [number(list.first(), "margin")?, number(list.get(1), "margin")?];
    if before < 0.0 || after < 0.0 {
        return Err(bad());
    }
    Ok([before, after])
}

fn order(asked: &Asked<'_>) -> Result<Change, Rejection> {
    let bad = || Rejection::invalid(format!("order is a list of at most {MAX_LIST} axis numbers"));
    let list = asked.value.as_array().filter(|l| !l.is_empty() && l.len() <= MAX_LIST).ok_or_else(bad)?;
    let order: Option<Vec<usize>> =
        list.iter().map(|v| v.as_u64().and_then(|n| usize::try_from(n).ok())).collect();
    order.map(Change::Order).ok_or_else(bad)
}
