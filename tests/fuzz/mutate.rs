//! Inputs made of others, by chance that can be repeated.

/// Texts and bytes that have broken readers before.
const WORDS: [&[u8]; 28] = [
    b"null",
    b"true",
    b"{}",
    b"[]",
    b"\"\"",
    b"NaN",
    b"-Infinity",
    b"1e308",
    b"-1e308",
    b"1e-320",
    b"0",
    b"-1",
    b"65536",
    b"4294967296",
    b"1152921504606846976",
    b"9223372036854775807",
    b"18446744073709551615",
    b"1e999",
    b"..",
    b"/",
    b"\\u0000",
    b"\xff\xfe",
    b"\xff\xff\xff\xff\xff\xff\xff\xff",
    b"\0\0\0\0\0\0\0\0",
    b"\0\0\0\x80",
    b"\x28\xb5\x2f\xfd",
    b"[[[[[[[[[[[[[[[[",
    b",\"type\":",
];
/// Longest input.
const LONGEST: usize = 1 << 16;

/// Makes inputs.
pub struct Mutator {
    state: u64,
    corpus: Vec<Vec<u8>>,
}

impl Mutator {
    /// From a seed and inputs to start with.
    pub fn new(seed: u64, corpus: Vec<Vec<u8>>) -> Self {
        Self { state: seed, corpus }
    }

    /// A number below `end` (`SplitMix64`, Steele, Lea and Flood 2014).
    fn below(&mut self, end: usize) -> usize {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) % end.max(1) as u64) as usize
    }

    /// A stretch of a text of `len` bytes, short ones more often.
    fn stretch(&mut self, len: usize) -> std::ops::Range<usize> {
        let from = self.below(len + 1);
        let longest = (len - from).min(1 << self.below(10));
        from..from + self.below(longest + 1)
    }

    /// The next input: one of the corpus, changed in one to six places.
    pub fn next(&mut self) -> Vec<u8> {
        let which = self.below(self.corpus.len());
        let mut input = self.corpus[which].clone();
        for _ in 0..=self.below(6) {
            self.change(&mut input);
        }
        input.truncate(LONGEST);
        input
    }

    fn change(&mut self, input: &mut Vec<u8>) {
        let at = self.below(input.len() + 1);
        match self.below(7) {
            0 if at < input.len() => input[at] ^= 1 << self.below(8),
            1 if at < input.len() => input[at] = [0, 1, 0x7f, 0x80, 0xff, b'"', b'9', b'-'][self.below(8)],
            2 => drop(input.drain(self.stretch(input.len()))),
            3 => {
                let again = input[self.stretch(input.len())].to_vec();
                drop(input.splice(at..at, again));
            }
            4 => {
                let which = self.below(self.corpus.len());
                let range = self.stretch(self.corpus[which].len());
                let other = self.corpus[which][range].to_vec();
                let gone = at..(at + self.below(other.len() + 1)).min(input.len());
                drop(input.splice(gone, other));
            }
            5 => self.number(input, at),
            _ => {
                let word = WORDS[self.below(WORDS.len())];
                drop(input.splice(at..at, word.iter().copied()));
            }
        }
    }

    /// Puts a word in the place of the number or word that stands at `at` or behind it.
    fn number(&mut self, input: &mut Vec<u8>, at: usize) {
        let is_word = |b: &u8| b.is_ascii_alphanumeric() || b"+-.\"".contains(b);
        let Some(skip) = input[at..].iter().position(is_word) else { return };
        let from = at + skip;
        let to = input[from..].iter().position(|b| !is_word(b)).map_or(input.len(), |n| from + n);
        let word = WORDS[self.below(WORDS.len())];
        drop(input.splice(from..to, word.iter().copied()));
    }
}
