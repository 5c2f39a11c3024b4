//! Keys and values of what was read already.

use candle_core::{Result, Tensor};

/// Places up to which a block is added to instead of beginning another one.
///
/// Adding copies the block: with a bound, reading a long answer token by token stays linear.
const BLOCK: usize = 64;

/// Keys and values of one layer for a stretch of a sequence, `[1, N, S, K]` each.
#[derive(Clone, Debug)]
pub(super) struct KvBlock {
    pub(super) keys: Tensor,
    pub(super) values: Tensor,
}

impl KvBlock {
    pub(super) fn len(&self) -> Result<usize> {
        self.keys.dim(2)
    }
}

/// What one layer knows of a sequence.
#[derive(Clone, Debug, Default)]
pub(super) struct LayerCache {
    pub(super) blocks: Vec<KvBlock>,
}

impl LayerCache {
    pub(super) fn push(&mut self, new: KvBlock) -> Result<()> {
        if let Some(last) = self.blocks.last_mut()
            && last.len()? + new.len()? <= BLOCK
        {
            // A new tensor: a fork that has the old one keeps it as it is.
            *last = KvBlock {
                keys: Tensor::cat(&[&last.keys, &new.keys], 2)?,
                values: Tensor::cat(&[&last.values, &new.values], 2)?,
            };
        } else {
            self.blocks.push(new);
        }
        Ok(())
    }

    /// Keys and values as [`crate::nn::qkv_attention`] takes those of a text:
    /// `[1, N * 2 * K, S]`, laid out `[head][k, v][channel]`. None where there are none.
    pub(super) fn channels_first(&self) -> Result<Option<Tensor>> {
        if self.blocks.is_empty() {
            return Ok(None);
        }
        let all = |part: fn(&KvBlock) -> &Tensor| {
            let blocks: Vec<&Tensor> = self.blocks.iter().map(part).collect();
            Tensor::cat(&blocks, 2)?.transpose(2, 3) // [1, N, K, S]
        };
        let both = [all(|block| &block.keys)?, all(|block| &block.values)?];
        let both = Tensor::stack(&both, 2)?; // [1, N, 2, K, S]
        let (_, heads, _, head, places) = both.dims5()?;
        Ok(Some(both.reshape((1, heads * 2 * head, places))?))
    }
}

/// Keys and values of a sequence, in every layer.
///
/// A clone is a fork: both share what they have in common, and what is added to one is never seen
/// by the other.
#[derive(Clone, Debug, Default)]
pub struct KvCache {
    pub(super) layers: Vec<LayerCache>,
    pub(super) len: usize,
}

impl KvCache {
    /// The cache of an empty sequence.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Another cache of the same sequence, without copying it.
    #[must_use]
    pub fn fork(&self) -> Self {
        self.clone()
    }

    /// Places that were read.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing was read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Bytes of the keys and values, those shared with forks included.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let size = |t: &Tensor| t.elem_count() * t.dtype().size_in_bytes();
        let blocks = self.layers.iter().flat_map(|layer| &layer.blocks);
        blocks.map(|block| size(&block.keys) + size(&block.values)).sum()
    }

    /// Lays the cache out for the many evaluations of a picture that comes next.
    ///
    /// # Errors
    ///
    /// When the device is out of memory.
    pub fn picture_context(&self) -> Result<PictureContext> {
        let layers =
            self.layers.iter().map(LayerCache::channels_first).collect::<Result<Vec<_>>>()?;
        Ok(PictureContext { layers, len: self.len })
    }
}

/// What a picture under way sees before it, laid out for speed; see [`KvCache::picture_context`].
#[derive(Clone, Debug)]
pub struct PictureContext {
    /// For each layer `[1, N * 2 * K, S]`; none for an empty sequence.
    pub(super) layers: Vec<Option<Tensor>>,
    pub(super) len: usize,
}

impl PictureContext {
    /// Places before the picture.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing stands before the picture.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::test_values;
    use candle_core::Device;

    fn block(places: usize, seed: u64) -> KvBlock {
        let values = |seed| {
            let shape = (1, 2, places, 3);
            Tensor::from_vec(test_values(2 * places * 3, seed), shape, &Device::Cpu).unwrap()
        };
        KvBlock { keys: values(seed), values: values(seed + 100) }
    }

    #[test]
    fn single_places_gather_in_few_blocks() {
        let mut layer = LayerCache::default();
        for i in 0..200 {
            layer.push(block(1, i)).unwrap();
        }
        let lens: Vec<usize> = layer.blocks.iter().map(|block| block.len().unwrap()).collect();
        assert_eq!(lens, [64, 64, 64, 8]);
        layer.push(block(100, 7)).unwrap();
        layer.push(block(1, 8)).unwrap();
        assert_eq!(layer.blocks.len(), 6);
    }

    #[test]
    fn the_layout_for_pictures_has_keys_and_values_of_each_head_together() {
        let mut layer = LayerCache::default();
        assert!(layer.channels_first().unwrap().is_none());
        layer.push(block(70, 1)).unwrap();
        layer.push(block(2, 2)).unwrap();
        let found = layer.channels_first().unwrap().unwrap();
        assert_eq!(found.dims(), [1, 12, 72]);
        let found = found.to_vec3::<f32>().unwrap();
        let last = &layer.blocks[1];
        let at = |t: &Tensor, head: usize, place: usize, channel: usize| {
            t.squeeze(0).unwrap().to_vec3::<f32>().unwrap()[head][place][channel]
        };
        assert_eq!(found[0][6 + 2][71], at(&last.keys, 1, 1, 2));
        assert_eq!(found[0][6 + 3 + 1][70], at(&last.values, 1, 0, 1));
    }
}
