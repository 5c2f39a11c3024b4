//! Byte-pair merging over token ids, exact and in `O(n log n)` for words of any length.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

/// The merges of one vocabulary and the bytes of each of its tokens.
#[derive(Debug, Default)]
pub(super) struct BytePairs {
    /// Pair of neighbors to (rank, id of the merged token); the lowest rank merges first.
    merges: HashMap<(u32, u32), (u32, u32)>,
    /// Bytes of each token, by id.
    pieces: Vec<Vec<u8>>,
}

impl BytePairs {
    pub(super) fn new(pieces: Vec<Vec<u8>>) -> Self {
        Self { merges: HashMap::with_capacity(pieces.len()), pieces }
    }

    /// Number of tokens.
    pub(super) fn len(&self) -> usize {
        self.pieces.len()
    }

    /// Bytes of a token, or `None` for an id that the vocabulary does not have.
    pub(super) fn piece(&self, id: u32) -> Option<&[u8]> {
        self.pieces.get(id as usize).map(Vec::as_slice)
    }

    /// Adds the merge of `pair` into `id`.
    pub(super) fn add_merge(&mut self, pair: (u32, u32), rank: u32, id: u32) {
        self.merges.entry(pair).or_insert((rank, id));
    }

    /// Finds the merge that makes token `id` out of `symbols` and adds it with its id as rank.
    ///
    /// For vocabularies numbered in the order of their merges, when only the tokens are at hand: the
    /// merges before this one reduce the token's symbols to the pair that this one joins. Returns
    /// whether they did.
    pub(super) fn recover_merge(&mut self, id: u32, mut symbols: Vec<u32>) -> bool {
        self.merge(&mut symbols);
        let [left, right] = symbols[..] else { return false };
        self.add_merge((left, right), id, id);
        true
    }

    /// Merges `symbols` until no merge applies: always the lowest rank, leftmost first.
    pub(super) fn merge(&self, symbols: &mut Vec<u32>) {
        const NONE: usize = usize::MAX;
        let n = symbols.len();
        let mut next: Vec<usize> = (1..=n).collect();
        let mut prev: Vec<usize> = (0..n).map(|i| i.wrapping_sub(1)).collect();
        let mut alive = vec![true; n];
        let mut heap = BinaryHeap::with_capacity(n);
        let candidate = |symbols: &[u32], i: usize, j: usize| {
            let pair = (symbols[i], symbols[j]);
            self.merges.get(&pair).map(|&(rank, id)| Reverse((rank, i, j, pair, id)))
        };
        for i in 1..n {
            heap.extend(candidate(symbols, i - 1, i));
        }
        while let Some(Reverse((_, i, j, pair, id))) = heap.pop() {
            // An entry is stale when one of its symbols has been merged since.
            if !alive[i] || next[i] != j || j >= n || (symbols[i], symbols[j]) != pair {
                continue;
            }
            symbols[i] = id;
            alive[j] = false;
            next[i] = next[j];
            if next[i] < n {
                prev[next[i]] = i;
                heap.extend(candidate(symbols, i, next[i]));
            }
            if prev[i] != NONE {
                heap.extend(candidate(symbols, prev[i], i));
            }
        }
        let mut kept = alive.iter();
        symbols.retain(|_| kept.next().copied().unwrap_or(false));
    }
}

/// The character that stands for each byte in the vocabulary files of GPT-2's family, which is also
/// the order in which CLIP numbers its bytes: printable Latin-1 stands for itself, the other bytes
/// get the characters from U+0100 on.
#[must_use]
pub fn characters_of_bytes() -> [char; 256] {
    let mut free = (0x100..).filter_map(char::from_u32);
    std::array::from_fn(|byte| match byte as u8 {
        b @ (b'!'..=b'~' | 0xA1..=0xAC | 0xAE..=0xFF) => char::from(b),
        _ => free.next().unwrap_or_default(),
    })
}
