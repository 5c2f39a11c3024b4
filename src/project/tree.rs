//! Records become states again.
//!
//! A tree reads records one by one, checks each against those before it, and makes the document of
//! any node when it is asked for, with tiles from wherever they are stored. Nothing that a file
//! claims is believed: parents and bases come before what builds on them, so nothing can go in a
//! circle, and every tile has to have the pixels that its name says.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::{Arc, Weak};

use rayon::prelude::*;

use crate::document::{
    Attachment, Document, Edit, Layer, LayerId, NodeId, Place, SavedSelection, Selection, Shown,
};
use crate::geom::{Extent, PixelRect};
use crate::project::content::grid_content;
use crate::project::picture::{color_tile, cover_tile, small_picture};
use crate::project::record::MaskRecord;
use crate::project::{
    AttachRecord, ContentHash, DocumentRecord, EditRecord, FORMAT, GridId, GridRecord, LayerRecord,
    NodeRecord, PlaceRecord, ProjectError, ProjectRecord, Record, ShownRecord,
};
use crate::raster::{CoverGrid, Pixel, PixelGrid, RgbaImage, Tile, TileGrid, TileIndex};

/// Where pictures are stored, as PNG files by their hash.
pub trait Pictures {
    /// The file of a picture; nothing where it is not there.
    ///
    /// # Errors
    ///
    /// When the storage can't be read.
    fn png(&mut self, content: ContentHash) -> Result<Option<Vec<u8>>, ProjectError>;
}

/// The tree of a project.
#[derive(Debug, Default)]
pub struct Tree {
    /// What project it is.
    pub project: Option<ProjectRecord>,
    nodes: BTreeMap<NodeId, NodeRecord>,
    grids: BTreeMap<GridId, GridRecord>,
    pinned: BTreeMap<NodeId, bool>,
    thumbnails: BTreeMap<NodeId, ContentHash>,
    /// The node that the document was at last.
    current: Option<NodeId>,
    /// What was saved last, and where.
    saved: Option<(NodeId, PathBuf)>,
    lines: usize,
    cache: Cache,
}

/// Tiles and attached pictures that were read and still live, so that equal ones are one.
#[derive(Debug, Default)]
struct Cache {
    attached: HashMap<(Extent, Option<ContentHash>), Weak<RgbaImage>>,
    colors: HashMap<ContentHash, Weak<Tile<[u8; 4]>>>,
    covers: HashMap<ContentHash, Weak<Tile<u8>>>,
}

/// Layers, saved selections: no document has more.
const MAX_PARTS: usize = 10_000;
/// Tiles lie within these rows and columns, so that their pixels' places are numbers.
const MAX_TILE: i32 = 1 << 22;
/// A layer's opacity and such lie in a range; names and texts are no longer than this.
const MAX_TEXT_BYTES: usize = 1 << 20;
/// Sides of a placed or attached picture.
const MAX_PLACED_PX: u32 = Document::MAX_SIDE_PX * 2;
/// Files that are read before they are decoded on all cores.
const AT_ONCE: usize = 64;

impl Tree {
    /// A tree of lines, each a record as JSON.
    ///
    /// # Errors
    ///
    /// At the first line that is no record or does not fit those before it; see [`Self::take`].
    pub fn read(lines: &str) -> Result<Self, ProjectError> {
        let mut tree = Self::default();
        for line in lines.lines() {
            tree.take_line(line)?;
        }
        Ok(tree)
    }

    /// Takes the next line.
    ///
    /// # Errors
    ///
    /// When it is no record, or does not fit those before it. The tree is as it was then.
    pub fn take_line(&mut self, line: &str) -> Result<(), ProjectError> {
        let number = self.lines + 1;
        // A newer format may have records that are not known, so its first line is looked at alone.
        let record: Record = serde_json::from_str(line)
            .map_err(|error| ProjectError::Record { line: number, why: error.to_string() })?;
        self.take(record)
    }

    /// Takes the next record.
    ///
    /// # Errors
    ///
    /// When it does not fit those before it. The tree is as it was then.
    pub fn take(&mut self, record: Record) -> Result<(), ProjectError> {
        let line = self.lines + 1;
        let wrong = |why: String| ProjectError::Record { line, why };
        match record {
            Record::Project(project) => {
                if self.project.is_some() {
                    return Err(wrong("a second project".to_owned()));
                }
                if project.format > FORMAT {
                    let ProjectRecord { format, writer, .. } = project;
                    return Err(ProjectError::Newer { format, writer });
                }
                self.project = Some(project);
            }
            Record::Grid(grid) => self.take_grid(grid).map_err(wrong)?,
            Record::Node(node) => self.take_node(*node).map_err(wrong)?,
            Record::Rename { node, label } => {
                let node = self.nodes.get_mut(&node).ok_or_else(|| wrong(missing(node)))?;
                node.label = bounded(label).map_err(wrong)?;
            }
            Record::Pin { node, pinned } => {
                self.known(node).map_err(wrong)?;
                self.pinned.insert(node, pinned);
            }
            Record::GoTo { node } => {
                self.known(node).map_err(wrong)?;
                self.current = Some(node);
            }
            Record::Thumbnail { node, picture } => {
                self.known(node).map_err(wrong)?;
                self.thumbnails.insert(node, picture);
            }
            Record::Saved { node, path } => {
                self.known(node).map_err(wrong)?;
                self.saved = Some((node, path));
            }
        }
        self.lines = line;
        Ok(())
    }

    fn known(&self, node: NodeId) -> Result<(), String> {
        if self.nodes.contains_key(&node) { Ok(()) } else { Err(missing(node)) }
    }

    fn take_grid(&mut self, grid: GridRecord) -> Result<(), String> {
        if self.grids.last_key_value().is_some_and(|(last, _)| *last >= grid.id) {
            return Err(format!("grid {} comes too late", grid.id.0));
        }
        if let Some(base) = grid.base
            && !self.grids.contains_key(&base)
        {
            return Err(format!("there is no grid {}", base.0));
        }
        let far = |tile: i32| !(-MAX_TILE..MAX_TILE).contains(&tile);
        if grid.tiles.iter().any(|tile| far(tile.0) || far(tile.1)) {
            return Err("a tile is too far away".to_owned());
        }
        self.grids.insert(grid.id, grid);
        Ok(())
    }

    fn take_node(&mut self, node: NodeRecord) -> Result<(), String> {
        if self.nodes.last_key_value().is_some_and(|(last, _)| *last >= node.id) {
            return Err(format!("state {} comes too late", node.id.0));
        }
        match node.parent {
            Some(parent) => self.known(parent)?,
            None if self.nodes.is_empty() => {}
            None => return Err("a second first state".to_owned()),
        }
        self.check_document(&node.document)?;
        for edit in &node.edits {
            match edit {
                EditRecord::Place(place) => self.check_place(place)?,
                EditRecord::Replace(document) => self.check_document(document)?,
                EditRecord::Attach(attach) => self.check_attach(attach)?,
                EditRecord::Do(_) => {}
            }
        }
        self.current = Some(node.id);
        self.nodes.insert(node.id, node);
        Ok(())
    }

    fn check_document(&self, document: &DocumentRecord) -> Result<(), String> {
        let Extent { width, height } = document.extent;
        let sides = 1..=Document::MAX_SIDE_PX;
        if !sides.contains(&width) || !sides.contains(&height) {
            return Err(format!("a canvas of {width}x{height} pixels"));
        }
        if document.layers.is_empty() || document.layers.len() > MAX_PARTS {
            return Err(format!("{} layers", document.layers.len()));
        }
        if document.saved_selections.len() > MAX_PARTS {
            return Err(format!("{} saved selections", document.saved_selections.len()));
        }
        let mut ids: Vec<LayerId> = document.layers.iter().map(|layer| layer.id).collect();
        ids.sort_unstable();
        ids.dedup();
        if ids.len() != document.layers.len() {
            return Err("two layers of the same number".to_owned());
        }
        if ids.binary_search(&document.active).is_err() {
            return Err("the layer in hand is missing".to_owned());
        }
        if ids.last().is_some_and(|id| id.0 >= document.next_layer) {
            return Err("the next layer's number is taken".to_owned());
        }
        for layer in &document.layers {
            if !(0.0..=1.0).contains(&layer.opacity) {
                return Err(format!("an opacity of {}", layer.opacity));
            }
            let texts = [Some(&layer.name), layer.record.as_ref()];
            if texts.into_iter().flatten().any(|text| text.len() > MAX_TEXT_BYTES) {
                return Err("a text that is too long".to_owned());
            }
            self.check_grid(layer.pixels)?;
            self.check_grid(layer.mask.and_then(|mask| mask.cover))?;
        }
        self.check_grid(document.selection)?;
        document.saved_selections.iter().try_for_each(|saved| self.check_grid(saved.cover))
    }

    fn check_place(&self, place: &PlaceRecord) -> Result<(), String> {
        let Extent { width, height } = place.extent;
        if width.max(height) > MAX_PLACED_PX {
            return Err(format!("a picture of {width}x{height} pixels"));
        }
        if let Some(shown) = &place.shown {
            self.known(shown.state)?;
            self.check_grid(shown.cover.and_then(|cover| cover.cover))?;
        }
        self.check_grid(place.pixels)?;
        self.check_grid(place.mask.and_then(|mask| mask.cover))
    }

    fn check_attach(&self, attach: &AttachRecord) -> Result<(), String> {
        let Extent { width, height } = attach.extent;
        let sides = 1..=MAX_PLACED_PX;
        if !sides.contains(&width) || !sides.contains(&height) {
            return Err(format!("an attached picture of {width}x{height} pixels"));
        }
        if attach.name.len() > MAX_TEXT_BYTES {
            return Err("a text that is too long".to_owned());
        }
        self.check_grid(attach.pixels)
    }

    fn check_grid(&self, grid: Option<GridId>) -> Result<(), String> {
        match grid {
            Some(id) if !self.grids.contains_key(&id) => Err(format!("there is no grid {}", id.0)),
            _ => Ok(()),
        }
    }

    /// All nodes, oldest first.
    #[must_use]
    pub fn nodes(&self) -> impl DoubleEndedIterator<Item = &NodeRecord> {
        self.nodes.values()
    }

    /// A node.
    #[must_use]
    pub fn node(&self, id: NodeId) -> Option<&NodeRecord> {
        self.nodes.get(&id)
    }

    /// Whether a node is to be kept ready.
    #[must_use]
    pub fn is_pinned(&self, id: NodeId) -> bool {
        self.pinned.get(&id).copied().unwrap_or(false)
    }

    /// The node that the document was at last.
    #[must_use]
    pub const fn current(&self) -> Option<NodeId> {
        self.current
    }

    /// The node that was saved last, and where.
    #[must_use]
    pub fn saved(&self) -> Option<(NodeId, &std::path::Path)> {
        self.saved.as_ref().map(|(node, path)| (*node, path.as_path()))
    }

    /// The number that the last grid has.
    #[must_use]
    pub fn last_grid(&self) -> GridId {
        self.grids.last_key_value().map_or(GridId(0), |(id, _)| *id)
    }

    /// Lines that were taken.
    #[must_use]
    pub const fn lines(&self) -> usize {
        self.lines
    }

    /// All records that make this tree again: what [`Self::take`] was given, in short, and in the
    /// version that this program writes.
    #[must_use]
    pub fn records(&self) -> Vec<Record> {
        let project = self.project.iter().cloned();
        let project = project.map(|project| ProjectRecord { format: FORMAT, ..project });
        let mut records: Vec<Record> = project.map(Record::Project).collect();
        records.extend(self.grids.values().cloned().map(Record::Grid));
        records.extend(self.nodes.values().cloned().map(Box::new).map(Record::Node));
        let thumbnails = self.thumbnails.iter();
        records.extend(thumbnails.map(|(&node, &picture)| Record::Thumbnail { node, picture }));
        let pinned = self.pinned.iter().filter(|(_, pinned)| **pinned);
        records.extend(pinned.map(|(&node, _)| Record::Pin { node, pinned: true }));
        records.extend(self.current.map(|node| Record::GoTo { node }));
        records
    }

    /// The names of all pictures that the tree needs, each once.
    #[must_use]
    pub fn pictures(&self) -> Vec<ContentHash> {
        let tiles = self.grids.values().flat_map(|grid| &grid.tiles);
        let mut all: Vec<ContentHash> = tiles.filter_map(|tile| tile.2).collect();
        all.extend(self.thumbnails.values());
        all.sort_unstable();
        all.dedup();
        all
    }

    /// The document of a node.
    ///
    /// # Errors
    ///
    /// When there is no such node, or a tile is missing or damaged.
    pub fn document(
        &mut self,
        id: NodeId,
        pictures: &mut dyn Pictures,
    ) -> Result<Document, ProjectError> {
        let record = self.nodes.get(&id).ok_or(ProjectError::NoNode(id))?.document.clone();
        self.document_of(&record, pictures)
    }

    /// The edits that made a node.
    ///
    /// # Errors
    ///
    /// When there is no such node, or a tile of a placed picture is missing or damaged.
    pub fn edits(
        &mut self,
        id: NodeId,
        pictures: &mut dyn Pictures,
    ) -> Result<Vec<Edit>, ProjectError> {
        let records = self.nodes.get(&id).ok_or(ProjectError::NoNode(id))?.edits.clone();
        let mut edits = Vec::with_capacity(records.len());
        for record in records {
            edits.push(match record {
                EditRecord::Do(edit) => edit,
                EditRecord::Replace(document) => {
                    Edit::Replace(Box::new(self.document_of(&document, pictures)?))
                }
                EditRecord::Attach(attach) => Edit::Attach(self.attachment(attach, pictures)?),
                EditRecord::Place(place) => {
                    let Extent { width, height } = place.extent;
                    let rect = PixelRect::new(place.at.0, place.at.1, width, height);
                    let pixels = self.colors(place.pixels, pictures)?.read(rect);
                    let image = RgbaImage::from_raw(place.extent, pixels.into_flattened());
                    let image = image.map_err(|error| ProjectError::Encode(error.to_string()))?;
                    Edit::Place(Place {
                        image: Arc::new(image),
                        at: place.at,
                        name: place.name,
                        mask: self.mask(place.mask, pictures)?,
                        record: place.record.map(Arc::from),
                        shown: self.shown(place.shown, pictures)?,
                    })
                }
            });
        }
        Ok(edits)
    }

    /// The pictures that were shown with the message of a node's turn, in order.
    ///
    /// Equal pictures that live at the same time are one.
    ///
    /// # Errors
    ///
    /// When there is no such node, or a tile of a picture is missing or damaged.
    pub fn attached(
        &mut self,
        id: NodeId,
        pictures: &mut dyn Pictures,
    ) -> Result<Vec<Attachment>, ProjectError> {
        let node = self.nodes.get(&id).ok_or(ProjectError::NoNode(id))?;
        let records: Vec<AttachRecord> = node.attached().cloned().collect();
        records.into_iter().map(|record| self.attachment(record, pictures)).collect()
    }

    fn attachment(
        &mut self,
        record: AttachRecord,
        pictures: &mut dyn Pictures,
    ) -> Result<Attachment, ProjectError> {
        let AttachRecord { extent, pixels, name } = record;
        let key = (extent, grid_content(self.tiles_of(pixels)));
        if let Some(image) = self.cache.attached.get(&key).and_then(Weak::upgrade) {
            return Ok(Attachment { image, name });
        }
        let rect = PixelRect::new(0, 0, extent.width, extent.height);
        let pixels = self.colors(pixels, pictures)?.read(rect);
        let image = RgbaImage::from_raw(extent, pixels.into_flattened());
        let image = Arc::new(image.map_err(|error| ProjectError::Encode(error.to_string()))?);
        self.cache.attached.retain(|_, image| image.strong_count() > 0);
        self.cache.attached.insert(key, Arc::downgrade(&image));
        Ok(Attachment { image, name })
    }

    fn shown(
        &mut self,
        shown: Option<ShownRecord>,
        pictures: &mut dyn Pictures,
    ) -> Result<Option<Arc<Shown>>, ProjectError> {
        let Some(ShownRecord { state, before, region, cover, crop }) = shown else {
            return Ok(None);
        };
        let cover = self.mask(cover, pictures)?;
        Ok(Some(Arc::new(Shown { state, before, region, cover, crop })))
    }

    /// The small picture of a node, where it has one.
    ///
    /// # Errors
    ///
    /// When the picture is missing or damaged.
    pub fn thumbnail(
        &self,
        id: NodeId,
        pictures: &mut dyn Pictures,
    ) -> Result<Option<RgbaImage>, ProjectError> {
        let Some(&content) = self.thumbnails.get(&id) else { return Ok(None) };
        let file = pictures.png(content)?.ok_or(ProjectError::MissingTile(content))?;
        small_picture(&file, content).map(Some)
    }

    fn document_of(
        &mut self,
        record: &DocumentRecord,
        pictures: &mut dyn Pictures,
    ) -> Result<Document, ProjectError> {
        let mut layers = Vec::with_capacity(record.layers.len());
        for layer in &record.layers {
            let LayerRecord { id, name, opacity, visible, locked, blend_mode, record, .. } = layer;
            layers.push(Layer {
                id: *id,
                name: name.clone(),
                pixels: self.colors(layer.pixels, pictures)?,
                mask: self.mask(layer.mask, pictures)?,
                opacity: *opacity,
                visible: *visible,
                locked: *locked,
                blend_mode: *blend_mode,
                record: record.as_deref().map(Arc::from),
            });
        }
        let selection = Selection { cover: self.covers(record.selection, pictures)? };
        let mut saved_selections = Vec::with_capacity(record.saved_selections.len());
        for saved in &record.saved_selections {
            let selection = Selection { cover: self.covers(saved.cover, pictures)? };
            saved_selections.push(SavedSelection { name: saved.name.clone(), selection });
        }
        Ok(Document {
            extent: record.extent,
            layers,
            active: record.active,
            selection,
            saved_selections,
            next_layer: record.next_layer,
        })
    }

    fn mask(
        &mut self,
        mask: Option<MaskRecord>,
        pictures: &mut dyn Pictures,
    ) -> Result<Option<CoverGrid>, ProjectError> {
        mask.map(|mask| self.covers(mask.cover, pictures)).transpose()
    }

    fn colors(
        &mut self,
        grid: Option<GridId>,
        pictures: &mut dyn Pictures,
    ) -> Result<PixelGrid, ProjectError> {
        let tiles = self.tiles_of(grid);
        read_grid(&tiles, &mut self.cache.colors, color_tile, pictures)
    }

    fn covers(
        &mut self,
        grid: Option<GridId>,
        pictures: &mut dyn Pictures,
    ) -> Result<CoverGrid, ProjectError> {
        let tiles = self.tiles_of(grid);
        read_grid(&tiles, &mut self.cache.covers, cover_tile, pictures)
    }

    /// The tiles of a grid: those of the grids that it builds on, with the changes.
    pub(super) fn tiles_of(&self, grid: Option<GridId>) -> BTreeMap<TileIndex, ContentHash> {
        let mut chain = Vec::new();
        let mut at = grid;
        // Bases have smaller numbers, so this ends.
        while let Some(grid) = at.and_then(|id| self.grids.get(&id)) {
            chain.push(grid);
            at = grid.base;
        }
        let mut tiles = BTreeMap::new();
        for grid in chain.into_iter().rev() {
            for &crate::project::TileRecord(row, column, content) in &grid.tiles {
                let at = TileIndex { row, column };
                match content {
                    Some(content) => tiles.insert(at, content),
                    None => tiles.remove(&at),
                };
            }
        }
        tiles
    }
}

fn missing(node: NodeId) -> String {
    format!("there is no state {}", node.0)
}

fn bounded(text: String) -> Result<String, String> {
    if text.len() > MAX_TEXT_BYTES { Err("a text that is too long".to_owned()) } else { Ok(text) }
}

/// A tile from its PNG file, checked against its name.
type Decode<P> = fn(&[u8], ContentHash) -> Result<Arc<Tile<P>>, ProjectError>;

/// Reads the tiles that do not live yet and puts a grid together.
fn read_grid<P: Pixel>(
    tiles: &BTreeMap<TileIndex, ContentHash>,
    cache: &mut HashMap<ContentHash, Weak<Tile<P>>>,
    decode: Decode<P>,
    pictures: &mut dyn Pictures,
) -> Result<TileGrid<P>, ProjectError> {
    let mut live: HashMap<ContentHash, Arc<Tile<P>>> = HashMap::new();
    let mut absent: Vec<ContentHash> = Vec::new();
    for &content in tiles.values() {
        match cache.get(&content).and_then(Weak::upgrade) {
            Some(tile) => drop(live.insert(content, tile)),
            None => absent.push(content),
        }
    }
    absent.sort_unstable();
    absent.dedup();
    for some in absent.chunks(AT_ONCE) {
        let mut files = Vec::with_capacity(some.len());
        for &content in some {
            let file = pictures.png(content)?.ok_or(ProjectError::MissingTile(content))?;
            files.push((content, file));
        }
        let decoded: Vec<(ContentHash, Arc<Tile<P>>)> = files
            .into_par_iter()
            .map(|(content, file)| Ok((content, decode(&file, content)?)))
            .collect::<Result<_, ProjectError>>()?;
        for (content, tile) in decoded {
            cache.insert(content, Arc::downgrade(&tile));
            live.insert(content, tile);
        }
    }
    cache.retain(|_, tile| tile.strong_count() > 0);
    let found =
        tiles.iter().filter_map(|(at, content)| Some((*at, Arc::clone(live.get(content)?))));
    Ok(TileGrid::from_tiles(found))
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::document::testing::Rng;
    use crate::document::{History, Operation, OperationKind};
    use crate::project::{Batch, NewNode, Recorder, document_content};

    #[derive(Default)]
    struct Memory {
        lines: String,
        files: HashMap<ContentHash, Vec<u8>>,
    }

    impl Memory {
        fn add(&mut self, batch: Batch) {
            for record in batch.records {
                self.lines += &serde_json::to_string(&record).unwrap();
                self.lines.push('\n');
            }
            for (content, picture) in batch.pictures {
                assert!(self.files.insert(content, picture.encode().unwrap()).is_none());
            }
        }
    }

    impl Pictures for Memory {
        fn png(&mut self, content: ContentHash) -> Result<Option<Vec<u8>>, ProjectError> {
            Ok(self.files.get(&content).cloned())
        }
    }

    /// Random edits from random nodes of a tree, recorded; with every document.
    fn random_project(seed: u64, steps: u64) -> (Memory, Vec<Document>) {
        let mut rng = Rng(seed);
        let first = rng.document();
        let mut history = History::new(first.clone(), "First", usize::MAX);
        let mut memory = Memory::default();
        let mut recorder = Recorder::new();
        let mut documents = vec![first.clone()];
        let project =
            ProjectRecord { format: FORMAT, id: "0".repeat(32), writer: "test".to_owned() };
        memory.add(Batch { records: vec![Record::Project(project)], pictures: Vec::new() });
        let node = |id, parent, edits, document: &Document| NewNode {
            id,
            parent,
            label: format!("State \"{}\"\n", id.0),
            time: SystemTime::now(),
            edits,
            document: document.clone(),
        };
        memory.add(recorder.node(&node(history.root(), None, Vec::new(), &first)));
        while (documents.len() as u64) < steps {
            if rng.one_in(6) {
                let id = NodeId(1 + u64::from(rng.below(documents.len() as u32)));
                assert!(history.go_to(id));
            }
            let mut document = history.document().unwrap().clone();
            let edit = rng.edit(&document);
            if edit.apply(&mut document).is_err() {
                continue;
            }
            let parent = history.current();
            let operation = Operation { label: String::new(), edits: vec![edit.clone()] };
            let (id, _) = history.commit(document.clone(), operation);
            memory.add(recorder.node(&node(id, Some(parent), vec![edit], &document)));
            documents.push(document);
        }
        (memory, documents)
    }

    #[test]
    fn every_state_comes_back_and_is_made_again_by_its_edits() {
        for seed in 0..4 {
            let (mut memory, documents) = random_project(seed, 120);
            let mut tree = Tree::read(&memory.lines).unwrap();
            assert_eq!(tree.nodes().count(), documents.len());
            for (i, document) in documents.iter().enumerate() {
                let id = NodeId(i as u64 + 1);
                let read = tree.document(id, &mut memory).unwrap();
                assert_eq!(&read, document);
                let node = tree.node(id).unwrap();
                assert_eq!(node.content, document_content(document));
                let Some(parent) = node.parent else { continue };
                let mut again = tree.document(parent, &mut memory).unwrap();
                for edit in tree.edits(id, &mut memory).unwrap() {
                    edit.apply(&mut again).unwrap();
                }
                assert_eq!(&again, document);
            }
        }
    }

    #[test]
    fn what_was_shown_with_a_message_is_stored_once_and_comes_back() {
        let mut rng = Rng(5);
        // More than a tile, with colors where it is transparent, and one of nothing.
        let mut large = RgbaImage::new(Extent::new(300, 40), [0; 4]);
        large.pixels_mut().iter_mut().for_each(|pixel| *pixel = rng.color());
        large.pixels_mut()[7] = [9, 8, 7, 0];
        let blank = RgbaImage::new(Extent::new(5, 3), [0; 4]);
        let shown: Vec<Attachment> = [("large", large), ("blank", blank)]
            .map(|(name, image)| Attachment { image: Arc::new(image), name: name.to_owned() })
            .into();
        let said = Edit::Said { record: r#"{"command":"chat","prompt":"so?"}"#.to_owned() };
        let attach = || shown.iter().cloned().map(Edit::Attach);
        let document = rng.document();
        let mut recorder = Recorder::new();
        let mut memory = Memory::default();
        let old = ProjectRecord { format: 1, id: "0".repeat(32), writer: "test".to_owned() };
        memory.add(Batch { records: vec![Record::Project(old)], pictures: Vec::new() });
        let mut add = |id: u64, parent: Option<u64>, edits: Vec<Edit>| {
            let batch = recorder.node(&NewNode {
                id: NodeId(id),
                parent: parent.map(NodeId),
                label: String::new(),
                time: SystemTime::now(),
                edits,
                document: document.clone(),
            });
            let counts = (batch.records.len(), batch.pictures.len());
            memory.add(batch);
            counts
        };
        add(1, None, Vec::new());
        // Two tiles, their grid and the state.
        assert_eq!(add(2, Some(1), attach().chain([said.clone()]).collect()), (2, 2));
        // Asked again: the line of the state alone.
        assert_eq!(add(3, Some(1), attach().chain([said]).collect()), (1, 0));
        assert_eq!(add(4, Some(3), vec![Edit::AddLayer { name: "other".to_owned() }]).1, 0);
        let layer = Edit::AddLayer { name: "Layer".to_owned() };
        add(5, Some(4), attach().chain([layer]).collect());

        let tree = Tree::read(&memory.lines).unwrap();
        let mut again = Tree::default();
        tree.records().into_iter().for_each(|record| again.take(record).unwrap());
        assert_eq!(again.project.as_ref().unwrap().format, FORMAT, "it has what is new");
        let kinds: Vec<_> = again.nodes().map(NodeRecord::kind).collect();
        let (chat, layer) = (OperationKind::Chat, OperationKind::Layer);
        assert_eq!(kinds, [OperationKind::Opened, chat, chat, layer, layer]);
        let node = again.node(NodeId(2)).unwrap();
        assert!(node.model_record().unwrap().contains("so?"));
        let first = again.attached(NodeId(2), &mut memory).unwrap();
        assert_eq!(first, shown);
        assert_eq!(again.attached(NodeId(4), &mut memory).unwrap(), []);
        let edits = again.edits(NodeId(3), &mut memory).unwrap();
        let [Edit::Attach(large), Edit::Attach(blank), Edit::Said { .. }] = &edits[..] else {
            panic!("{edits:?}")
        };
        assert!(Arc::ptr_eq(&large.image, &first[0].image), "they are one while they live");
        assert_eq!(*blank, shown[1]);
        // A tile that got lost is told.
        drop((first, edits));
        memory.files.clear();
        assert!(again.attached(NodeId(2), &mut memory).is_err());
    }

    #[test]
    fn a_tree_written_anew_is_the_same_tree() {
        let (mut memory, documents) = random_project(9, 60);
        let mut tree = Tree::read(&memory.lines).unwrap();
        tree.take(Record::Pin { node: NodeId(3), pinned: true }).unwrap();
        tree.take(Record::Rename { node: NodeId(2), label: "Sky".to_owned() }).unwrap();
        tree.take(Record::GoTo { node: NodeId(5) }).unwrap();
        let mut again = Tree::default();
        for record in tree.records() {
            again.take(record).unwrap();
        }
        assert_eq!(again.current(), Some(NodeId(5)));
        assert!(again.is_pinned(NodeId(3)) && !again.is_pinned(NodeId(2)));
        assert_eq!(again.node(NodeId(2)).unwrap().label, "Sky");
        let last = NodeId(documents.len() as u64);
        assert_eq!(&again.document(last, &mut memory).unwrap(), documents.last().unwrap());
        assert!(tree.pictures().iter().all(|content| memory.files.contains_key(content)));
    }

    #[test]
    fn equal_tiles_of_two_states_are_one_tile() {
        let (mut memory, documents) = random_project(2, 40);
        let mut tree = Tree::read(&memory.lines).unwrap();
        let last = NodeId(documents.len() as u64);
        let one = tree.document(last, &mut memory).unwrap();
        memory.files.clear();
        // No file is read again.
        assert_eq!(tree.document(last, &mut memory).unwrap(), one);
    }

    #[test]
    fn damaged_lines_are_refused_in_words_and_leave_the_tree_whole() {
        let (memory, _) = random_project(1, 10);
        let mut tree = Tree::read(&memory.lines).unwrap();
        let count = tree.nodes().count();
        let mut refused = |line: &str, why: &str| {
            let message = tree.take_line(line).unwrap_err().to_string();
            assert!(message.contains(why), "{message}");
            assert_eq!(tree.nodes().count(), count);
        };
        refused("{", "EOF");
        refused(r#"{"unheard-of": 1}"#, "unknown variant");
        refused(r#"{"go-to": {"node": 99}}"#, "there is no state 99");
        refused(r#"{"grid": {"id": 9999, "base": 9998, "tiles": []}}"#, "there is no grid 9998");
        refused(r#"{"grid": {"id": 9999, "tiles": [[2147483647, 0, null]]}}"#, "too far away");
        refused(r#"{"grid": {"id": 9999, "tiles": [[0, 0, "ab"]]}}"#, "64 hexadecimal digits");
        let hash = "0".repeat(64);
        let node = |id: u64, parent: &str, extent: &str, layers: &str| {
            format!(
                r#"{{"node": {{"id": {id}, {parent} "label": "", "time_ms": 0, "document":
                {{"extent": {extent}, "layers": {layers}, "active": 1, "next_layer": 2}},
                "content": "{hash}"}}}}"#
            )
            .replace('\n', "")
        };
        let layer = r#"[{"id": 1, "name": "", "opacity": 1.0, "visible": true, "locked": false,
            "blend_mode": "normal"}]"#
            .replace('\n', "");
        let size = r#"{"width": 8, "height": 8}"#;
        refused(&node(99, "", size, &layer), "a second first state");
        refused(&node(99, r#""parent": 98,"#, size, &layer), "there is no state 98");
        refused(&node(2, r#""parent": 1,"#, size, &layer), "comes too late");
        let parent = r#""parent": 1,"#;
        refused(&node(99, parent, size, "[]"), "0 layers");
        let two = layer.replace("}]", "},") + &layer[1..];
        refused(&node(99, parent, size, &two), "two layers of the same number");
        refused(&node(99, parent, size, &layer.replace("1.0", "7.0")), "an opacity of 7");
        let vast = r#"{"width": 99999, "height": 1}"#;
        refused(&node(99, parent, vast, &layer), "a canvas of 99999x1");
        let attached =
            |edit: &str| node(99, &format!(r#""parent": 1, "edits": [{edit}],"#), size, &layer);
        let attach = |extent: &str, pixels: u64, name: &str| {
            attached(&format!(
                r#"{{"attach": {{"extent": {extent}, "pixels": {pixels}, "name": "{name}"}}}}"#
            ))
        };
        refused(&attach(size, 9999, ""), "there is no grid 9999");
        refused(&attach(vast, 1, ""), "an attached picture of 99999x1");
        let flat = r#"{"width": 8, "height": 0}"#;
        refused(&attach(flat, 1, ""), "an attached picture of 8x0");
        refused(&attach(size, 1, &"x".repeat(MAX_TEXT_BYTES + 1)), "a text that is too long");
        refused(&attached(r#"{"do": {"attach": {"name": ""}}}"#), "unknown variant");
        let newer = r#"{"project": {"format": 3, "id": "x", "writer": "Gesso 9"}}"#;
        let message = Tree::read(newer).unwrap_err().to_string();
        assert!(message.contains("newer version (Gesso 9"), "{message}");
    }
}
