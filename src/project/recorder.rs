//! States become records.
//!
//! The recorder remembers which grids and tiles it has written, so that a state costs what it does
//! not share with the states before it: for a stroke a few tiles and a line of text, however large
//! the picture is.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::document::{Attachment, Document, Edit, Layer, NodeId, Place};
use crate::geom::PixelRect;
use crate::project::content::{
    Bytes, GridContents, MaskContent, content_of, grid_content, tile_content,
};
use crate::project::record::MaskRecord;
use crate::project::{
    AttachRecord, ContentHash, DocumentRecord, EditRecord, GridId, GridRecord, LayerRecord,
    NodeRecord, Picture, PlaceRecord, Record, SavedSelectionRecord, ShownRecord, TilePixels,
    TileRecord,
};
use crate::raster::{GridState, Pixel, PixelGrid, RgbaImage, Tile, TileGrid, TileIndex};

/// A grid is written as a whole again after so many changes that build on each other, so that
/// reading one back takes a bounded number of steps.
const MAX_CHAIN: u32 = 64;
/// Grids whose state is remembered; older ones are looked at again, which costs time but no space.
const MAX_KNOWN_GRIDS: usize = 4096;

/// What has to be written for a state.
#[derive(Debug, Default)]
pub struct Batch {
    /// Lines, in order.
    pub records: Vec<Record>,
    /// Pictures that the lines name and that were not given out before.
    pub pictures: Vec<(ContentHash, Picture)>,
}

impl Batch {
    /// Whether there is nothing to write.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records.is_empty() && self.pictures.is_empty()
    }

    /// Adds what another batch holds after this one.
    pub fn append(&mut self, mut other: Self) {
        self.records.append(&mut other.records);
        self.pictures.append(&mut other.pictures);
    }
}

/// A state that is to be recorded.
#[derive(Clone, Debug)]
pub struct NewNode {
    /// Its name within the history.
    pub id: NodeId,
    /// The state before.
    pub parent: Option<NodeId>,
    /// Its name for people.
    pub label: String,
    /// When it was made.
    pub time: SystemTime,
    /// The changes that made it.
    pub edits: Vec<Edit>,
    /// The document.
    pub document: Document,
}

/// Turns states into records and remembers what was written.
#[derive(Default)]
pub struct Recorder {
    colors: Grids<[u8; 4]>,
    covers: Grids<u8>,
    stored: HashSet<ContentHash>,
    last_grid: u64,
    batch: Batch,
}

/// What the grid belongs to, of which the next one is likely to differ little.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Role {
    Layer(u64),
    Mask(u64),
    Selection,
    Saved(String),
    Placed,
    /// By the place among the edits of a state: a message that is asked again has the same pictures.
    Attached(usize),
}

/// Grids and tiles of one kind of pixel that are known.
struct Grids<P: Pixel> {
    /// By the grid's identity, which is its own as long as the state is held.
    known: HashMap<usize, Known<P>>,
    /// The newest grid of each role.
    newest: BTreeMap<Role, Newest>,
    /// By the version of a tile; nothing for empty tiles.
    tiles: HashMap<u64, Option<ContentHash>>,
}

impl<P: Pixel> Default for Grids<P> {
    fn default() -> Self {
        Self { known: HashMap::new(), newest: BTreeMap::new(), tiles: HashMap::new() }
    }
}

struct Known<P: Pixel> {
    state: GridState<P>,
    written: Written,
}

/// A grid that was written, or that is empty.
#[derive(Clone, Copy)]
struct Written {
    id: Option<GridId>,
    content: Option<ContentHash>,
}

const EMPTY: Written = Written { id: None, content: None };

struct Newest {
    written: Written,
    chain: u32,
    tiles: Vec<(TileIndex, ContentHash)>,
}

/// Pixels that tiles can be stored of.
trait Stored: Pixel + Bytes {
    fn picture(tile: &Arc<Tile<Self>>) -> Picture;
    fn grids(recorder: &mut Recorder) -> &mut Grids<Self>;
}

impl Stored for [u8; 4] {
    fn picture(tile: &Arc<Tile<Self>>) -> Picture {
        Picture::Tile(TilePixels::Color(Arc::clone(tile)))
    }

    fn grids(recorder: &mut Recorder) -> &mut Grids<Self> {
        &mut recorder.colors
    }
}

impl Stored for u8 {
    fn picture(tile: &Arc<Tile<Self>>) -> Picture {
        Picture::Tile(TilePixels::Cover(Arc::clone(tile)))
    }

    fn grids(recorder: &mut Recorder) -> &mut Grids<Self> {
        &mut recorder.covers
    }
}

impl Recorder {
    /// A recorder for a project that has nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A recorder that goes on with a project: its pictures are there already, and its grids have
    /// numbers up to `last_grid`.
    #[must_use]
    pub fn resumed(stored: impl IntoIterator<Item = ContentHash>, last_grid: GridId) -> Self {
        Self { stored: stored.into_iter().collect(), last_grid: last_grid.0, ..Self::default() }
    }

    /// The records and pictures of a state; its hash is in its record.
    ///
    /// Hashes the tiles that are new, so it takes some milliseconds; not for the window's thread.
    pub fn node(&mut self, node: &NewNode) -> Batch {
        let (document, content) = self.document(&node.document);
        let edits = node.edits.iter().enumerate();
        let edits = edits.map(|(place, edit)| self.edit(edit, place)).collect();
        let since = node.time.duration_since(UNIX_EPOCH).unwrap_or_default();
        let record = NodeRecord {
            id: node.id,
            parent: node.parent,
            label: node.label.clone(),
            time_ms: u64::try_from(since.as_millis()).unwrap_or(u64::MAX),
            edits,
            document,
            content,
        };
        self.batch.records.push(Record::Node(Box::new(record)));
        std::mem::take(&mut self.batch)
    }

    /// The hash of a document, of which only the tiles are read that were not seen before.
    pub fn content(&mut self, document: &Document) -> ContentHash {
        let (_, content) = self.document(document);
        // Nothing of it is written.
        self.batch = Batch::default();
        content
    }

    /// The record and the picture of a state's thumbnail.
    pub fn thumbnail(&mut self, node: NodeId, image: &Arc<RgbaImage>) -> Batch {
        let picture = Picture::small_content(image);
        if self.stored.insert(picture) {
            self.batch.pictures.push((picture, Picture::Small(Arc::clone(image))));
        }
        self.batch.records.push(Record::Thumbnail { node, picture });
        std::mem::take(&mut self.batch)
    }

    /// What was given out did not get written: it will be given out again.
    pub fn forget(&mut self, batch: &Batch) {
        for (content, _) in &batch.pictures {
            self.stored.remove(content);
        }
        // Grids that were not written must not be built on; their numbers are not used again.
        self.colors = Grids { tiles: std::mem::take(&mut self.colors.tiles), ..Grids::default() };
        self.covers = Grids { tiles: std::mem::take(&mut self.covers.tiles), ..Grids::default() };
    }

    fn document(&mut self, document: &Document) -> (DocumentRecord, ContentHash) {
        let mut contents = GridContents { layers: Vec::new(), selection: None, saved: Vec::new() };
        let mut layers = Vec::new();
        for layer in &document.layers {
            let Layer { id, name, opacity, visible, locked, blend_mode, record, .. } = layer;
            let pixels = self.grid(&layer.pixels, Role::Layer(id.0));
            let mask = layer.mask.as_ref().map(|mask| self.grid(mask, Role::Mask(id.0)));
            let cover = mask.map_or(MaskContent::Absent, |mask| MaskContent::Cover(mask.content));
            contents.layers.push((pixels.content, cover));
            layers.push(LayerRecord {
                id: *id,
                name: name.clone(),
                pixels: pixels.id,
                mask: mask.map(|mask| MaskRecord { cover: mask.id }),
                opacity: *opacity,
                visible: *visible,
                locked: *locked,
                blend_mode: *blend_mode,
                record: record.as_deref().map(str::to_owned),
            });
        }
        let selection = self.grid(&document.selection.cover, Role::Selection);
        contents.selection = selection.content;
        let mut saved_selections = Vec::new();
        for saved in &document.saved_selections {
            let cover = self.grid(&saved.selection.cover, Role::Saved(saved.name.clone()));
            contents.saved.push(cover.content);
            saved_selections
                .push(SavedSelectionRecord { name: saved.name.clone(), cover: cover.id });
        }
        let record = DocumentRecord {
            extent: document.extent,
            layers,
            active: document.active,
            selection: selection.id,
            saved_selections,
            next_layer: document.next_layer,
        };
        (record, content_of(document, &contents))
    }

    fn edit(&mut self, edit: &Edit, place_in_state: usize) -> EditRecord {
        match edit {
            Edit::Place(place) => EditRecord::Place(Box::new(self.place(place))),
            Edit::Replace(document) => EditRecord::Replace(Box::new(self.document(document).0)),
            Edit::Attach(attachment) => {
                EditRecord::Attach(self.attach(attachment, Role::Attached(place_in_state)))
            }
            edit => EditRecord::Do(edit.clone()),
        }
    }

    fn attach(&mut self, attachment: &Attachment, role: Role) -> AttachRecord {
        let extent = attachment.image.extent();
        let rect = PixelRect::new(0, 0, extent.width, extent.height);
        let pixels = PixelGrid::from_pixels(rect, attachment.image.pixels());
        AttachRecord { extent, pixels: self.grid(&pixels, role).id, name: attachment.name.clone() }
    }

    fn place(&mut self, place: &Place) -> PlaceRecord {
        let extent = place.image.extent();
        let rect = PixelRect::new(place.at.0, place.at.1, extent.width, extent.height);
        let pixels = PixelGrid::from_pixels(rect, place.image.pixels());
        let mask = place.mask.as_ref().map(|mask| self.grid(mask, Role::Placed));
        let shown = place.shown.as_ref().map(|shown| ShownRecord {
            state: shown.state,
            before: shown.before.clone(),
            region: shown.region,
            cover: shown
                .cover
                .as_ref()
                .map(|cover| MaskRecord { cover: self.grid(cover, Role::Selection).id }),
            crop: shown.crop,
        });
        PlaceRecord {
            extent,
            at: place.at,
            pixels: self.grid(&pixels, Role::Placed).id,
            name: place.name.clone(),
            mask: mask.map(|mask| MaskRecord { cover: mask.id }),
            record: place.record.as_deref().map(str::to_owned),
            shown,
        }
    }

    /// Writes a grid unless that was done.
    fn grid<P: Stored>(&mut self, grid: &TileGrid<P>, role: Role) -> Written {
        if grid.has_no_tiles() {
            return EMPTY;
        }
        if let Some(known) = P::grids(self).known.get(&grid.identity())
            && grid.is_still(&known.state)
        {
            return known.written;
        }
        let tiles = self.tiles(grid);
        let content = grid_content(tiles.iter().copied());
        let newest = P::grids(self).newest.get(&role);
        let written = match newest.filter(|newest| newest.written.content == content) {
            // The same pixels in another grid.
            Some(newest) => newest.written,
            None if content.is_none() => EMPTY,
            None => self.write_grid::<P>(role, tiles, content),
        };
        let known = &mut P::grids(self).known;
        if known.len() >= MAX_KNOWN_GRIDS {
            known.clear();
        }
        known.insert(grid.identity(), Known { state: grid.state(), written });
        written
    }

    fn write_grid<P: Stored>(
        &mut self,
        role: Role,
        tiles: Vec<(TileIndex, ContentHash)>,
        content: Option<ContentHash>,
    ) -> Written {
        self.last_grid += 1;
        let written = Written { id: Some(GridId(self.last_grid)), content };
        let grids = P::grids(self);
        let change = grids.newest.get(&role).and_then(|newest| {
            let changed = changes(&newest.tiles, &tiles);
            let pays = changed.len() * 2 <= tiles.len() && newest.chain < MAX_CHAIN;
            let base = newest.written.id.filter(|_| pays)?;
            Some((base, changed, newest.chain + 1))
        });
        let (base, changed, chain) = match change {
            Some((base, changed, chain)) => (Some(base), changed, chain),
            None => (None, changes(&[], &tiles), 0),
        };
        grids.newest.insert(role, Newest { written, chain, tiles });
        let record = GridRecord { id: GridId(self.last_grid), base, tiles: changed };
        self.batch.records.push(Record::Grid(record));
        written
    }

    /// The hashes of a grid's tiles; hands out the tiles that are new.
    fn tiles<P: Stored>(&mut self, grid: &TileGrid<P>) -> Vec<(TileIndex, ContentHash)> {
        use rayon::prelude::*;
        let known = &P::grids(self).tiles;
        let new: Vec<&Arc<Tile<P>>> = grid
            .tiles()
            .map(|(_, tile)| tile)
            .filter(|tile| !known.contains_key(&tile.version()))
            .collect();
        let hashed: Vec<(u64, Option<ContentHash>)> =
            new.into_par_iter().map(|tile| (tile.version(), tile_content(tile.pixels()))).collect();
        P::grids(self).tiles.extend(hashed);
        let mut tiles = Vec::new();
        for (at, tile) in grid.tiles() {
            let content = P::grids(self).tiles.get(&tile.version()).copied().flatten();
            let Some(content) = content else { continue };
            if self.stored.insert(content) {
                self.batch.pictures.push((content, P::picture(tile)));
            }
            tiles.push((at, content));
        }
        tiles
    }
}

/// What makes one list of tiles out of another; both are in order.
fn changes(old: &[(TileIndex, ContentHash)], new: &[(TileIndex, ContentHash)]) -> Vec<TileRecord> {
    let mut changes = Vec::new();
    let (mut old, mut new) = (old.iter().peekable(), new.iter().peekable());
    loop {
        let at = match (old.peek(), new.peek()) {
            (None, None) => return changes,
            (Some((at, _)), None) | (None, Some((at, _))) => *at,
            (Some((a, _)), Some((b, _))) => *a.min(b),
        };
        let before = old.next_if(|(a, _)| *a == at).map(|(_, content)| *content);
        let after = new.next_if(|(b, _)| *b == at).map(|(_, content)| *content);
        if before != after {
            changes.push(TileRecord(at.row, at.column, after));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::LayerId;
    use crate::document::testing::Rng;
    use crate::geom::Extent;
    use crate::project::document_content;

    fn node(id: u64, document: &Document, edits: Vec<Edit>) -> NewNode {
        NewNode {
            id: NodeId(id),
            parent: (id > 1).then(|| NodeId(id - 1)),
            label: format!("State {id}"),
            time: SystemTime::now(),
            edits,
            document: document.clone(),
        }
    }

    fn content(batch: &Batch) -> ContentHash {
        let Some(Record::Node(node)) = batch.records.last() else { panic!("{batch:?}") };
        node.content
    }

    #[test]
    fn a_state_costs_what_it_does_not_share() {
        let mut recorder = Recorder::new();
        let mut document = Document::new(Extent::new(2048, 2048), "Layer 1");
        let rect = PixelRect::new(0, 0, 2048, 2048);
        document.layers[0].pixels.update(rect, |x, y, row| {
            for (pixel, x) in row.iter_mut().zip(x..) {
                *pixel = [(x >> 8) as u8, (y >> 8) as u8, 0, 255];
            }
        });
        let first = recorder.node(&node(1, &document, Vec::new()));
        assert_eq!((first.records.len(), first.pictures.len()), (2, 64));
        // Nothing new: one line.
        let same = recorder.node(&node(2, &document, Vec::new()));
        assert_eq!((same.records.len(), same.pictures.len()), (1, 0));
        assert_eq!(content(&first), content(&same));
        // A touched tile: its pixels, and a line that names it alone.
        document.layers[0].pixels.fill(PixelRect::new(300, 300, 9, 9), [7; 4]);
        let touched = recorder.node(&node(3, &document, Vec::new()));
        assert_eq!(touched.pictures.len(), 1);
        let Record::Grid(grid) = &touched.records[0] else { panic!() };
        assert_eq!((grid.base, grid.tiles.len()), (Some(GridId(1)), 1));
        // What was there before is not written again, wherever it comes from.
        document.layers[0].pixels.fill(PixelRect::new(256, 256, 256, 256), [1, 1, 0, 255]);
        let back = recorder.node(&node(4, &document, Vec::new()));
        assert_eq!(back.pictures.len(), 0);
        assert_eq!(content(&back), content(&first));
        // Unless it got lost.
        recorder.forget(&first);
        let again = recorder.node(&node(5, &document, Vec::new()));
        assert_eq!(again.pictures.len(), 64);
        let Record::Grid(grid) = &again.records[0] else { panic!() };
        assert_eq!((grid.base, grid.tiles.len()), (None, 64));
    }

    #[test]
    fn hashes_are_those_of_the_documents() {
        let mut rng = Rng(11);
        let mut recorder = Recorder::new();
        let mut document = rng.document();
        for id in 1..200 {
            let edit = rng.edit(&document);
            let mut next = document.clone();
            if edit.apply(&mut next).is_ok() {
                document = next;
            }
            let batch = recorder.node(&node(id, &document, vec![edit]));
            assert_eq!(content(&batch), document_content(&document));
        }
    }

    #[test]
    fn long_chains_of_changes_start_anew() {
        let mut recorder = Recorder::new();
        let mut document = Document::new(Extent::new(2048, 256), "Layer 1");
        document.layers[0].pixels.fill(PixelRect::new(0, 0, 2048, 256), [1, 2, 3, 255]);
        let mut whole = 0;
        for id in 1..200 {
            let layer = document.layer_mut(LayerId(1)).unwrap();
            layer.pixels.fill(PixelRect::new(0, 0, 8, 8), [id as u8; 4]);
            let batch = recorder.node(&node(id, &document, Vec::new()));
            let Record::Grid(grid) = &batch.records[0] else { panic!() };
            whole += usize::from(grid.base.is_none());
        }
        assert_eq!(whole, 4);
    }
}
