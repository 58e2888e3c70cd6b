//! The order of values and of their bytes.

use super::{DecodeError, step::same_size};

/// Reverses the bytes of each value.
pub fn swap(bytes: &mut [u8], width: usize) {
    match width {
        2 => bytes.as_chunks_mut::<2>().0.iter_mut().for_each(|v| v.reverse()),
        4 => bytes.as_chunks_mut::<4>().0.iter_mut().for_each(|v| v.reverse()),
        8 => bytes.as_chunks_mut::<8>().0.iter_mut().for_each(|v| v.reverse()),
        _ => {}
    }
}

/// Puts shuffled bytes back together. Bytes at the end that make no whole value were not shuffled.
pub fn unshuffle(bytes: &[u8], out: &mut [u8], width: usize) -> Result<(), DecodeError> {
    same_size("shuffle", bytes.len(), out.len())?;
    let count = bytes.len() / width;
    match width {
        2 => unshuffle_values::<2>(bytes, out),
        4 => unshuffle_values::<4>(bytes, out),
        8 => unshuffle_values::<8>(bytes, out),
        _ => {
            for (n, value) in out.chunks_exact_mut(width).enumerate() {
                for (b, byte) in value.iter_mut().enumerate() {
                    *byte = bytes[b * count + n];
                }
            }
        }
    }
    let rest = count * width;
    out[rest..].copy_from_slice(&bytes[rest..]);
    Ok(())
}

fn unshuffle_values<const N: usize>(bytes: &[u8], out: &mut [u8]) {
    let count = bytes.len() / N;
    let planes: [&[u8]; N] = std::array::from_fn(|b| &bytes[b * count..(b + 1) * count]);
    for (n, value) in out.as_chunks_mut::<N>().0.iter_mut().enumerate() {
        *value = std::array::from_fn(|b| planes[b][n]);
    }
}

/// A permutation of the axes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transpose {
    /// Extents before it, in C order.
    shape: Vec<usize>,
    /// For each of those axes, the distance of neighbours in the encoded values, in values.
    strides: Vec<usize>,
    width: usize,
}

impl Transpose {
    /// Axis `n` of the encoded values is axis `order[n]` of the decoded ones, whose extents are `shape`.
    /// `None` where `order` is no permutation of the axes.
    pub fn new(shape: &[usize], order: &[usize], width: usize) -> Option<Self> {
        let mut strides = vec![0; shape.len()];
        let mut step = 1;
        for axis in order.iter().rev() {
            let stride = strides.get_mut(*axis).filter(|s| **s == 0)?;
            *stride = step;
            step *= shape[*axis];
        }
        (order.len() == shape.len()).then(|| Self { shape: shape.to_vec(), strides, width })
    }

    /// Puts the values back into C order.
    pub fn undo(&self, encoded: &[u8], out: &mut [u8]) -> Result<(), DecodeError> {
        same_size("transpose", encoded.len(), out.len())?;
        match self.width {
            1 => self.gather::<1>(encoded, out),
            2 => self.gather::<2>(encoded, out),
            4 => self.gather::<4>(encoded, out),
            _ => self.gather::<8>(encoded, out),
        }
        Ok(())
    }

    fn gather<const N: usize>(&self, encoded: &[u8], out: &mut [u8]) {
        let (values, out) = (encoded.as_chunks::<N>().0, out.as_chunks_mut::<N>().0);
        let Some((row, rest)) = self.shape.split_last() else { return };
        let stride = self.strides[rest.len()];
        let mut at = vec![0; rest.len()];
        let mut from = 0;
        for line in out.chunks_exact_mut(*row) {
            for (n, value) in line.iter_mut().enumerate() {
                *value = values[from + n * stride];
            }
            for axis in (0..rest.len()).rev() {
                at[axis] += 1;
                from += self.strides[axis];
                if at[axis] < rest[axis] {
                    break;
                }
                from -= at[axis] * self.strides[axis];
                at[axis] = 0;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn axes_are_put_back() {
        // 2 × 3 × 4, encoded with axes (2, 0, 1): E[c][a][b] = D[a][b][c].
        let decoded: Vec<u16> = (0..24).collect();
        let mut encoded = Vec::new();
        for c in 0..4 {
            for a in 0..2 {
                for b in 0..3 {
                    encoded.extend(decoded[(a * 3 + b) * 4 + c].to_ne_bytes());
                }
            }
        }
        let transpose = Transpose::new(&[2, 3, 4], &[2, 0, 1], 2).unwrap();
        let mut out = vec![0; 48];
        transpose.undo(&encoded, &mut out).unwrap();
        assert_eq!(out, decoded.iter().flat_map(|v| v.to_ne_bytes()).collect::<Vec<_>>());
        for order in [&[0, 1][..], &[0, 1, 1], &[0, 1, 3], &[0, 1, 2, 2]] {
            assert_eq!(Transpose::new(&[2, 3, 4], order, 2), None, "{order:?}");
        }
    }

    #[test]
    fn shuffled_bytes_are_put_back() {
        for width in [1, 2, 3, 4, 8] {
            let values: Vec<u8> = (0..50).collect();
            let count = values.len() / width;
            let mut shuffled: Vec<u8> = (0..width)
                .flat_map(|b| values.chunks_exact(width).map(move |v| v[b]).collect::<Vec<_>>())
                .collect();
            shuffled.extend(&values[count * width..]);
            let mut out = vec![0; 50];
            unshuffle(&shuffled, &mut out, width).unwrap();
            assert_eq!(out, values, "{width}");
        }
    }

    #[test]
    fn bytes_are_swapped_by_value() {
        let mut bytes = [1, 2, 3, 4, 5, 6, 7, 8];
        swap(&mut bytes, 2);
        assert_eq!(bytes, [2, 1, 4, 3, 6, 5, 8, 7]);
        swap(&mut bytes, 8);
        assert_eq!(bytes, [7, 8, 5, 6, 3, 4, 1, 2]);
    }
}
