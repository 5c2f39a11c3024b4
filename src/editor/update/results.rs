//! Results: the staging strip, the gallery, comparisons.

use crate::document::{Difference, Document, Edit};
use crate::editor::{
    Compare, CompareMode, CompareSide, DragPixels, DragSource, Dragged, Editor, Effect, Fetching,
    GalleryItem, JobNumber, PictureUse, Staged, Staging,
};
use crate::locale::{tr, trf};

impl Editor {
    pub(super) fn staged(
        &mut self,
        _job: JobNumber,
        results: Vec<(GalleryItem, Staged)>,
        effects: &mut Vec<Effect>,
    ) {
        if results.is_empty() {
            return;
        }
        let here = self.history.current();
        let mut ready = Vec::new();
        for (item, mut staged) in results {
            staged.gallery = self.gain(item, effects);
            staged.base = Some(here);
            if let Some(delta) = staged.outside_mask_delta {
                log::debug!("outside the mask: {delta} bytes changed");
            }
            ready.push(staged);
        }
        let staging = self.staging.get_or_insert_default();
        let first_new = staging.results.len();
        staging.results.append(&mut ready);
        // The first of the new ones is shown, unless the user is looking at others.
        if first_new == 0 {
            staging.shown = 0;
        }
        log::debug!("results are shown: {}", staging.results.len());
        self.compare = None;
        self.fit_if_resized();
    }

    /// A result may have another size than the canvas; then all of it is shown.
    fn fit_if_resized(&mut self) {
        let shown = self.staging.as_ref().and_then(Staging::current);
        let extent = shown.map(|staged| staged.document.extent);
        if let Some(extent) = extent
            && extent != self.document.extent
        {
            let kept = std::mem::replace(&mut self.document.extent, extent);
            self.zoom_to_fit();
            self.document.extent = kept;
        }
    }

    /// Makes the shown result's document again where the picture below it has changed.
    pub(super) fn refresh_staging(&mut self) {
        let here = self.history.current();
        let Some(staging) = &mut self.staging else { return };
        let shown = staging.shown;
        let Some(staged) = staging.results.get_mut(shown) else { return };
        if staged.base == Some(here) {
            return;
        }
        let mut document = self.document.clone();
        if staged.edits.iter().all(|edit| edit.apply(&mut document).is_ok()) {
            staged.document = document;
            staged.base = Some(here);
        }
    }

    pub(super) fn staging_show(&mut self, index: usize) {
        if let Some(staging) = &mut self.staging {
            staging.shown = index.min(staging.results.len().saturating_sub(1));
            self.refresh_staging();
            self.fit_if_resized();
        }
    }

    pub(super) fn staging_step(&mut self, by: isize) {
        let Some(staging) = &self.staging else { return };
        let count = staging.results.len() as isize;
        if count > 0 {
            let next = (staging.shown as isize + by).rem_euclid(count);
            self.staging_show(next as usize);
        }
    }

    pub(super) fn staging_accept(&mut self, effects: &mut Vec<Effect>) {
        let Some(staging) = &self.staging else { return };
        let Some(staged) = staging.current() else { return };
        let (label, edits) = accepted(staged);
        let results = vec![staged.gallery];
        self.staging = None;
        self.compare = None;
        self.edits_with(label, edits, results, effects);
        self.zoom_to_fit_if_pending();
    }

    pub(super) fn staging_keep_all(&mut self, effects: &mut Vec<Effect>) {
        let Some(staging) = self.staging.take() else { return };
        self.compare = None;
        let mut all = Vec::new();
        for staged in &staging.results {
            let (_, edits) = accepted(staged);
            if all.is_empty() {
                all = edits;
            } else {
                // What changes the canvas is the same for all of them and happens once.
                all.extend(
                    edits
                        .into_iter()
                        .filter(|edit| !matches!(edit, Edit::SetCanvas(_) | Edit::Resize { .. })),
                );
            }
        }
        let label = trf("Keep {count} results", &[("count", &staging.results.len())]);
        let results = staging.results.iter().map(|staged| staged.gallery).collect();
        self.edits_with(label, all, results, effects);
        self.zoom_to_fit_if_pending();
    }

    fn zoom_to_fit_if_pending(&mut self) {
        if self.view.fit_pending {
            self.zoom_to_fit();
        }
    }

    pub(super) fn staging_discard(&mut self) {
        let Some(staging) = &mut self.staging else { return };
        if staging.shown < staging.results.len() {
            staging.results.remove(staging.shown);
        }
        staging.shown = staging.shown.min(staging.results.len().saturating_sub(1));
        if staging.results.is_empty() {
            self.staging = None;
            self.zoom_to_fit_if_pending();
        } else {
            self.refresh_staging();
        }
    }

    pub(super) fn drag_out(&mut self, what: Dragged, effects: &mut Vec<Effect>) {
        match what {
            Dragged::Gallery(id) => self.want_picture(id, PictureUse::DragOut, effects),
            Dragged::Canvas => {
                let path = self.file.path.as_ref();
                let stem = path.and_then(|path| path.file_stem());
                let source = DragSource {
                    name: stem.map_or_else(
                        || tr("picture").to_owned(),
                        |stem| stem.to_string_lossy().into_owned(),
                    ),
                    pixels: DragPixels::Document(Box::new(self.settled_document())),
                    record: self.record_of_picture(),
                };
                effects.push(Effect::DragOut(Box::new(source)));
            }
        }
    }

    /// The document that the canvas shows: the one as opened while its key is held, a result that
    /// waits for a choice, or the one that is worked on.
    #[must_use]
    pub fn shown_document(&self) -> &Document {
        if self.view.show_original
            && let Some(original) =
                self.history.node(self.history.root()).and_then(|node| node.document.as_ref())
        {
            return original;
        }
        // A stroke that was begun before the results came is seen until it ends.
        let draws = self.gesture.as_ref().is_some_and(|gesture| !gesture.tool.changes_view());
        match self.staging.as_ref().and_then(Staging::current) {
            Some(staged) if !draws => &staged.document,
            _ => &self.document,
        }
    }

    fn side(&self, side: CompareSide) -> Option<Document> {
        match side {
            CompareSide::Canvas => {
                let staged = self.staging.as_ref().and_then(Staging::current);
                Some(staged.map_or(&self.document, |staged| &staged.document).clone())
            }
            CompareSide::Node(node) => self.history.node(node)?.document.clone(),
        }
    }

    pub(super) fn compare_sides(
        &mut self,
        a: CompareSide,
        b: CompareSide,
        effects: &mut Vec<Effect>,
    ) {
        if let Some(missing) = self.missing_side([a, b]) {
            self.fetch(Fetching::Compare(missing, a, b), effects);
            return;
        }
        let (Some(a_document), Some(b_document)) = (self.side(a), self.side(b)) else { return };
        let (mode, split) = self
            .compare
            .as_ref()
            .map_or((CompareMode::default(), 0.5), |compare| (compare.mode, compare.split));
        self.end_gesture();
        self.compare = Some(Compare {
            a,
            b,
            mode,
            split,
            a_document,
            b_document,
            ticket: None,
            difference: None,
        });
    }

    /// Compares with the state before, or ends the comparison.
    pub(super) fn toggle_compare(&mut self, effects: &mut Vec<Effect>) {
        if self.compare.take().is_some() {
            return;
        }
        let here = self.history.current();
        let before = if self.staging.is_some() {
            Some(here)
        } else {
            self.history.node(here).and_then(|node| node.parent)
        };
        if let Some(before) = before {
            self.compare_sides(CompareSide::Node(before), CompareSide::Canvas, effects);
        }
    }

    /// Has the shown difference measured, once for each pair that is compared. The sides share the
    /// tiles that are equal, so that this costs what differs.
    pub(super) fn measure_compare(&mut self, effects: &mut Vec<Effect>) {
        let ticket = self.last_number + 1;
        let Some(compare) = &mut self.compare else { return };
        if compare.mode != CompareMode::HeatMap || compare.ticket.is_some() {
            return;
        }
        compare.ticket = Some(ticket);
        let documents = Box::new([compare.a_document.clone(), compare.b_document.clone()]);
        self.last_number = ticket;
        effects.push(Effect::Measure { ticket, documents });
    }

    pub(super) fn measured(&mut self, ticket: u64, difference: Difference) {
        // Another pair may be compared by now.
        if let Some(compare) = self.compare.as_mut().filter(|shown| shown.ticket == Some(ticket)) {
            compare.difference = Some(difference);
        }
    }

    /// Shows in a comparison what has changed below it.
    pub(super) fn refresh_compare(&mut self, effects: &mut Vec<Effect>) {
        if let Some(compare) = &self.compare {
            let (a, b) = (compare.a, compare.b);
            self.compare_sides(a, b, effects);
        }
    }
}

/// The step of the history that a result becomes.
fn accepted(staged: &Staged) -> (String, Vec<Edit>) {
    let kind = tr(crate::editor::requests::kind_name(staged.kind));
    let label = if staged.layer_name.is_empty() {
        kind.to_owned()
    } else if staged.layer_name.starts_with(kind) {
        // Without a prompt the layer is named after the kind of work.
        staged.layer_name.clone()
    } else {
        format!("{kind}: {}", staged.layer_name)
    };
    (label, staged.edits.clone())
}
