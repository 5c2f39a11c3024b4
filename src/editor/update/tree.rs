//! Going about in the history, and what keeps it: fetching states whose pixels are on disk, projects
//! that were opened, work that was left behind.

use std::path::PathBuf;
use std::sync::Arc;

use crate::document::{Document, Edit, History, Node, NodeId, Place, flatten};
use crate::editor::{
    AfterSaving, CompareSide, Dialog, Editor, Effect, Fetching, Keep, LeftWork, NoticeKind,
    OpenedProject, Opening, PictureFile,
};
use crate::geom::{Extent, PixelRect};
use crate::locale::{tr, trf};
use crate::raster::RgbaImage;

use super::sentence;

impl Editor {
    pub(super) fn undo(&mut self, effects: &mut Vec<Effect>) {
        if self.gesture.is_some() {
            self.end_gesture();
        } else if !self.is_computing()
            && let Some(before) = self.history.before()
        {
            if self.history.undo().is_some() {
                self.went(effects);
            } else {
                self.fetch(Fetching::GoTo(before), effects);
            }
        }
    }

    pub(super) fn redo(&mut self, effects: &mut Vec<Effect>) {
        if self.is_computing() {
            return;
        }
        let Some(after) = self.history.after() else { return };
        if self.history.redo().is_some() {
            self.went(effects);
        } else {
            self.fetch(Fetching::GoTo(after), effects);
        }
    }

    pub(super) fn go_to(&mut self, node: NodeId, effects: &mut Vec<Effect>) {
        if self.is_computing() || self.history.node(node).is_none() {
            return;
        }
        if self.history.go_to(node) {
            self.went(effects);
        } else {
            self.fetch(Fetching::GoTo(node), effects);
        }
    }

    /// Shows the state that the history went to.
    pub(super) fn went(&mut self, effects: &mut Vec<Effect>) {
        log::debug!("went to state {}", self.history.current().0);
        effects.push(Effect::Keep(Keep::GoTo(self.history.current())));
        self.fetching = None;
        self.gesture = None;
        let extent = self.document.extent;
        self.restore();
        if self.document.extent != extent {
            self.zoom_to_fit();
        }
        self.refresh_staging();
        self.refresh_compare(effects);
    }

    /// Asks for a state's pixels. What was asked for before is not waited for any more.
    pub(super) fn fetch(&mut self, fetching: Fetching, effects: &mut Vec<Effect>) {
        self.fetching = Some(fetching);
        effects.push(Effect::Fetch(fetching.node()));
    }

    pub(super) fn fetched(
        &mut self,
        node: NodeId,
        result: Result<Box<Document>, String>,
        effects: &mut Vec<Effect>,
    ) {
        let wanted = self.fetching.take_if(|fetching| fetching.node() == node);
        match result {
            Ok(document) => {
                self.history.fill(node, *document);
                match wanted {
                    Some(Fetching::GoTo(node)) => self.go_to(node, effects),
                    Some(Fetching::Compare(_, a, b)) => self.compare_sides(a, b, effects),
                    Some(Fetching::TakeRegion(node)) => self.take_region(node, effects),
                    Some(Fetching::Retry(turn, _)) => self.retry_turn(turn, effects),
                    None => {}
                }
            }
            Err(error) if wanted.is_some() => {
                let text =
                    trf("The pixels of that state can't be read: {reason}", &[("reason", &error)]);
                self.notify(NoticeKind::Error, sentence(&text), None);
            }
            Err(error) => log::warn!("state {}: {error}", node.0),
        }
    }

    pub(super) fn rename_state(&mut self, node: NodeId, label: &str, effects: &mut Vec<Effect>) {
        let label = label.trim().to_owned();
        if !label.is_empty() && self.history.rename(node, label.clone()) {
            effects.push(Effect::Keep(Keep::Rename(node, label)));
        }
    }

    pub(super) fn pin_state(&mut self, node: NodeId, pinned: bool, effects: &mut Vec<Effect>) {
        if pinned {
            self.history.pin(node);
        } else {
            let released = self.history.unpin(node);
            self.tell_released(&released);
        }
        effects.push(Effect::Keep(Keep::Pin(node, pinned)));
    }

    /// Lays what another state shows over the picture, within the selection; all of it where nothing
    /// is selected.
    pub(super) fn take_region(&mut self, node: NodeId, effects: &mut Vec<Effect>) {
        if self.is_computing() {
            return;
        }
        let Some(found) = self.history.node(node) else { return };
        let Some(document) = &found.document else {
            self.fetch(Fetching::TakeRegion(node), effects);
            return;
        };
        let extent = self.document.extent;
        let selection = &self.document.selection;
        let whole = PixelRect::from(document.extent.rect()).on_canvas(extent);
        let region = if selection.is_empty() { whole } else { selection.bounds(extent) };
        let Some(region) = region else { return };
        let mask = (!selection.is_empty()).then(|| selection.cover.clone());
        let name = trf("From “{name}”", &[("name", &found.operation.label)]);
        let place = Place {
            image: Arc::new(flatten(document, region)),
            at: (region.x as i32, region.y as i32),
            name: name.clone(),
            mask,
            record: None,
            shown: None,
        };
        self.edits(name, vec![Edit::Place(place)], effects);
    }

    pub(super) fn project_opened(&mut self, opened: OpenedProject, effects: &mut Vec<Effect>) {
        let OpenedProject { path, nodes, current, document, attached, saved, remarks } = opened;
        let budget = self.history.budget_bytes();
        let history = History::restored(nodes, current, document.clone(), budget);
        let Some(history) = history else {
            let text = tr("The project has no state that can be opened.");
            self.notify(NoticeKind::Error, text.to_owned(), None);
            self.stop_opening();
            return;
        };
        log::debug!("opened a project of {} states", history.nodes().count());
        self.end_gesture();
        self.dialog = None;
        self.history = history;
        effects.push(Effect::Keep(Keep::Opened));
        if let Some(path) = &path {
            self.remember_file(path.clone(), effects);
        }
        self.file = PictureFile { path, saved };
        self.show_new(document);
        self.chat.attached = attached;
        // The original can always be shown.
        let root = self.history.root();
        self.history.pin(root);
        if self.history.node(root).is_some_and(|node| node.document.is_none()) {
            effects.push(Effect::Fetch(root));
        }
        let missing: Vec<NodeId> =
            [current].into_iter().filter(|id| self.lacks_thumbnail(*id)).collect();
        for node in missing {
            effects.push(Effect::MakeThumbnail(node, Box::new(self.document.clone())));
        }
        self.go_to_wanted(effects);
        for remark in remarks {
            self.notify(NoticeKind::Info, sentence(&remark), None);
        }
    }

    /// Shows a project from afar until all of it was read.
    pub(super) fn project_preview(&mut self, path: PathBuf, image: Arc<RgbaImage>, extent: Extent) {
        self.end_gesture();
        self.stop_opening();
        let view_before = self.view.clone();
        self.opening = Some(Opening { path, image, extent, view_before });
        self.zoom_to_fit();
    }

    /// Goes back to the picture before, where a project can't be opened.
    pub(super) fn stop_opening(&mut self) {
        let Some(Opening { view_before, .. }) = self.opening.take() else { return };
        self.view.transform = view_before.transform;
        self.view.fit_pending = view_before.fit_pending;
        if self.view.fit_pending {
            self.zoom_to_fit();
        }
    }

    fn lacks_thumbnail(&self, id: NodeId) -> bool {
        self.history.node(id).is_some_and(|node: &Node| node.thumbnail.is_none())
    }

    pub(super) fn work_found(&mut self, work: Vec<LeftWork>) {
        self.left_work = work;
        let free = matches!(self.dialog, None | Some(Dialog::Welcome));
        if !self.left_work.is_empty() && free {
            self.dialog = Some(Dialog::LeftWork);
        }
    }

    pub(super) fn take_up(&mut self, folder: PathBuf, effects: &mut Vec<Effect>) {
        if self.has_unsaved_changes() {
            self.dialog = Some(Dialog::UnsavedChanges(AfterSaving::TakeUp(folder)));
            return;
        }
        self.left_work.retain(|work| work.folder != folder);
        self.dialog = None;
        effects.push(Effect::TakeUp(folder));
    }

    pub(super) fn throw_away(&mut self, folder: PathBuf, effects: &mut Vec<Effect>) {
        self.left_work.retain(|work| work.folder != folder);
        if self.left_work.is_empty() && self.dialog == Some(Dialog::LeftWork) {
            self.dialog = None;
        }
        effects.push(Effect::ThrowAway(folder));
    }

    pub(super) fn keeping_failed(&mut self, why: Option<String>) {
        if let Some(why) = &why
            && self.keeping_failed.is_none()
        {
            let text = trf(
                "Your work can't be kept safe on the disk now, but goes on in memory: {reason}",
                &[("reason", why)],
            );
            self.notify(NoticeKind::Error, sentence(&text), None);
        }
        if why.is_none() && self.keeping_failed.is_some() {
            let text = tr("The disk takes your work again; nothing was lost.");
            self.notify(NoticeKind::Info, text.to_owned(), None);
        }
        self.keeping_failed = why;
    }

    /// The states of two sides whose pixels have to be fetched first.
    pub(super) fn missing_side(&self, sides: [CompareSide; 2]) -> Option<NodeId> {
        sides.into_iter().find_map(|side| match side {
            CompareSide::Canvas => None,
            CompareSide::Node(id) => {
                self.history.node(id).filter(|node| node.document.is_none()).map(|node| node.id)
            }
        })
    }
}

impl Fetching {
    /// The state whose pixels are asked for.
    #[must_use]
    pub const fn node(self) -> NodeId {
        match self {
            Self::GoTo(node)
            | Self::Compare(node, ..)
            | Self::TakeRegion(node)
            | Self::Retry(_, node) => node,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::editor::{Action, Command};
    use crate::preferences::Preferences;

    fn editor() -> Editor {
        let mut editor = Editor::new(Preferences::default(), 1);
        for name in ["Sky", "Sea"] {
            editor.update(Command::Edit(Edit::AddLayer { name: name.to_owned() }));
        }
        editor
    }

    fn told(editor: &Editor) -> Vec<&str> {
        editor.notices.iter().map(|notice| notice.text.as_str()).collect()
    }

    #[test]
    fn every_step_is_kept_and_what_is_not_here_is_fetched() {
        let mut editor = editor();
        let here = editor.history.current();
        let effects = editor.update(Command::Do(Action::Undo));
        assert!(
            matches!(effects[..], [Effect::Keep(Keep::GoTo(node))] if node != here),
            "{effects:?}"
        );
        editor.update(Command::GoTo(here));
        let kept = editor.document.clone();
        editor.update(Command::SetHistoryBudget(0));
        editor.update(Command::Edit(Edit::AddLayer { name: "Sun".to_owned() }));
        // Layers without pixels need no bytes, so nothing was let go; as if it had been:
        let before = editor.history.before().unwrap();
        let nodes: Vec<crate::document::StoredNode> = editor
            .history
            .nodes()
            .map(|node| crate::document::StoredNode {
                id: node.id,
                parent: node.parent,
                label: node.operation.label.clone(),
                kind: node.kind,
                record: None,
                time: node.time,
                thumbnail: None,
                pinned: false,
            })
            .collect();
        let current = editor.history.current();
        let document = editor.document.clone();
        editor.history = History::restored(nodes, current, document, usize::MAX).unwrap();
        let effects = editor.update(Command::Do(Action::Undo));
        assert!(matches!(effects[..], [Effect::Fetch(node)] if node == before), "{effects:?}");
        assert_eq!(editor.history.current(), current, "it is on its way");
        editor.update(Command::Fetched { node: before, result: Ok(Box::new(kept.clone())) });
        assert_eq!(editor.history.current(), before);
        assert_eq!(editor.document, kept);
        // A failure is told, and nothing moves.
        let first = editor.history.root();
        editor.update(Command::GoTo(first));
        editor.update(Command::Fetched { node: first, result: Err("no disk".to_owned()) });
        assert_eq!(editor.history.current(), before);
        assert!(told(&editor).iter().any(|text| text.contains("no disk")));
    }

    #[test]
    fn a_project_that_is_being_opened_is_only_looked_at() {
        let mut editor = editor();
        editor.update(Command::SetZoom(3.0));
        let (before, view) = (editor.document.clone(), editor.view.clone());
        let extent = Extent::new(9000, 600);
        let image = Arc::new(RgbaImage::new(Extent::new(150, 10), [7; 4]));
        let preview = || {
            let (path, image) = (PathBuf::from("a.ora"), Arc::clone(&image));
            Command::ProjectPreview { path, image, extent }
        };
        editor.update(preview());
        assert_eq!(editor.canvas_extent(), extent);
        assert!(editor.view.transform.zoom < 0.1, "all of it is seen");
        editor.update(Command::Pointer(crate::editor::PointerEvent {
            phase: crate::editor::PointerPhase::Pressed,
            at: editor.view.center(),
            pressure: 1.0,
            shift: false,
            ctrl: false,
            alt: false,
        }));
        assert!(editor.gesture.is_none());
        let effects = editor.update(Command::Edit(Edit::AddLayer { name: "Sun".to_owned() }));
        assert!(effects.is_empty(), "{effects:?}");
        assert_eq!(editor.document, before);
        assert!(told(&editor).iter().any(|text| text.contains("being opened")));

        // Another one instead, which can't be read: all is as it was.
        editor.update(preview());
        editor.update(Command::Failed("it is cut off".to_owned()));
        assert!(editor.opening.is_none());
        assert_eq!((&editor.document, &editor.view), (&before, &view));
        editor.update(Command::Edit(Edit::AddLayer { name: "Sun".to_owned() }));
        assert_eq!(editor.document.layers.len(), before.layers.len() + 1);

        // An empty picture instead.
        editor.update(preview());
        editor.update(Command::DiscardChanges(AfterSaving::New { extent, color: [0; 4] }));
        assert!(editor.opening.is_none());
        assert_eq!(editor.document.extent, extent);
    }

    #[test]
    fn a_disk_that_refuses_is_told_once_and_so_is_its_return() {
        let mut editor = editor();
        for _ in 0..3 {
            editor.update(Command::KeepingFailed(Some("no space left".to_owned())));
        }
        let count = |editor: &Editor, part: &str| {
            told(editor).iter().filter(|text| text.contains(part)).count()
        };
        assert_eq!(count(&editor, "no space left"), 1);
        editor.update(Command::KeepingFailed(None));
        editor.update(Command::KeepingFailed(None));
        assert_eq!(count(&editor, "takes your work again"), 1);
    }

    #[test]
    fn a_flat_file_says_what_it_can_not_hold() {
        let mut editor = editor();
        let node = editor.history.current();
        editor.update(Command::Saved { path: "a.ora".into(), node });
        assert!(!told(&editor).iter().any(|text| text.contains("(.ora)")));
        editor.update(Command::Saved { path: "a.png".into(), node });
        assert!(told(&editor).iter().any(|text| text.contains("(.ora)")));
    }
}
