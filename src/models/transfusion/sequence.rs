//! What stands where: text and pictures in one row.

use candle_core::{Result, Tensor};

/// A picture in a sequence.
#[derive(Clone, Debug)]
pub struct Picture {
    /// Its latents, `[1, C, H, W]`.
    pub latents: Tensor,
    /// How noisy they are: 0 for a finished picture.
    pub timestep: f64,
}

/// Text tokens and pictures in the order in which the network reads them.
///
/// Each picture's patches stand next to each other; at the place of a patch, the token is only a
/// placeholder. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Sequence {
    tokens: Vec<u32>,
    /// For each place the picture whose patch stands there.
    picture_at: Vec<Option<usize>>,
    pictures: Vec<Picture>,
}

impl Sequence {
    /// A sequence of nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A sequence of text.
    #[must_use]
    pub fn of_tokens(tokens: &[u32]) -> Self {
        let mut sequence = Self::new();
        sequence.push_tokens(tokens);
        sequence
    }

    /// A sequence as training data lists it: `picture_at` numbers the pictures from 0 in the order
    /// in which they stand.
    ///
    /// # Errors
    ///
    /// When the lists differ in length, or a picture's patches don't stand together and in order.
    pub fn from_parts(
        tokens: Vec<u32>,
        picture_at: Vec<Option<usize>>,
        pictures: Vec<Picture>,
    ) -> Result<Self> {
        if tokens.len() != picture_at.len() {
            let (tokens, places) = (tokens.len(), picture_at.len());
            candle_core::bail!("{tokens} tokens and {places} places do not make a sequence");
        }
        let mut next = 0;
        let mut before = None;
        for &here in &picture_at {
            if here != before && here.is_some() {
                if here != Some(next) {
                    candle_core::bail!("the patches of picture {next} do not stand together");
                }
                next += 1;
            }
            before = here;
        }
        if next != pictures.len() {
            candle_core::bail!("{} pictures were given for places of {next}", pictures.len());
        }
        Ok(Self { tokens, picture_at, pictures })
    }

    /// Adds text.
    pub fn push_tokens(&mut self, tokens: &[u32]) {
        self.tokens.extend_from_slice(tokens);
        self.picture_at.resize(self.tokens.len(), None);
    }

    /// Adds a picture of `patches` patches, `placeholder` at each of their places.
    pub fn push_picture(&mut self, picture: Picture, patches: usize, placeholder: u32) {
        let end = self.tokens.len() + patches;
        self.tokens.resize(end, placeholder);
        self.picture_at.resize(end, Some(self.pictures.len()));
        self.pictures.push(picture);
    }

    /// Places, those of patches included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.tokens.len()
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tokens.is_empty()
    }

    /// The token at each place.
    #[must_use]
    pub fn tokens(&self) -> &[u32] {
        &self.tokens
    }

    /// For each place the picture whose patch stands there.
    #[must_use]
    pub fn picture_at(&self) -> &[Option<usize>] {
        &self.picture_at
    }

    /// The pictures.
    #[must_use]
    pub fn pictures(&self) -> &[Picture] {
        &self.pictures
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{DType, Device};

    fn picture() -> Picture {
        let latents = Tensor::zeros((1, 1, 2, 2), DType::F32, &Device::Cpu).unwrap();
        Picture { latents, timestep: 0.0 }
    }

    #[test]
    fn pushed_parts_are_those_listed() {
        let mut pushed = Sequence::of_tokens(&[1, 2]);
        pushed.push_picture(picture(), 2, 7);
        pushed.push_picture(picture(), 1, 7);
        pushed.push_tokens(&[5]);
        let places = vec![None, None, Some(0), Some(0), Some(1), None];
        let tokens = vec![1, 2, 7, 7, 7, 5];
        let listed = Sequence::from_parts(tokens, places, vec![picture(), picture()]).unwrap();
        assert_eq!(pushed.tokens(), listed.tokens());
        assert_eq!(pushed.picture_at(), listed.picture_at());
        assert_eq!((pushed.len(), pushed.pictures().len()), (6, 2));
    }

    #[test]
    fn patches_out_of_order_are_refused() {
        let check = |places: &[Option<usize>], pictures: usize| {
            let pictures = (0..pictures).map(|_| picture()).collect();
            Sequence::from_parts(vec![7; 4], places.to_vec(), pictures).is_err()
        };
        assert!(!check(&[Some(0), Some(1), None, Some(2)], 3));
        assert!(check(&[Some(0), None, Some(0), None], 1));
        assert!(check(&[Some(1), Some(0), None, None], 2));
        assert!(check(&[Some(0), None, None, None], 2));
        assert!(check(&[Some(0), None, None], 1));
        assert!(check(&[Some(usize::MAX), None, None, None], 1));
    }
}
