//! The right side of the window: prompt and chat in tabs on top, below them layers, history, gallery
//! and jobs in tabs.

use egui::{
    Align2, Color32, FontFamily, FontId, Frame, Id, Margin, Panel as EguiPanel, Rect, Role,
    ScrollArea, Sense, Stroke, StrokeKind, Ui, UiBuilder, WidgetInfo, pos2, vec2,
};
use serde::{Deserialize, Serialize};

use crate::editor::{Command, Editor, Panel};
use crate::locale::{tr, trf};
use crate::ui::chat_panel::{ChatState, chat_ui};
use crate::ui::gallery_panel::{GalleryState, gallery_ui};
use crate::ui::history_panel::{HistoryState, history_ui};
use crate::ui::layers_panel::{LayersState, layers_ui};
use crate::ui::prompt_panel::{PromptState, prompt_ui};
use crate::ui::queue_panel::{QueueState, queue_ui};
use crate::ui::theme::{self, colors, icon};

/// Width of the dock when it is first shown, in points.
pub const DOCK_PX: f32 = 320.0;
/// The dock gets no narrower than this.
pub const DOCK_LEAST_PX: f32 = 264.0;
/// The dock gets no wider than this.
pub const DOCK_MOST_PX: f32 = 560.0;

const TAB_PX: f32 = 36.0;

/// What a tab of the dock shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum DockTab {
    /// The layers.
    #[default]
    Layers,
    /// The states of the picture.
    History,
    /// The session's pictures.
    Gallery,
    /// The jobs.
    Queue,
}

impl DockTab {
    /// All tabs, in order.
    pub const ALL: [Self; 4] = [Self::Layers, Self::History, Self::Gallery, Self::Queue];

    /// The tab's name.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Layers => tr("Layers"),
            Self::History => tr("History"),
            Self::Gallery => tr("Gallery"),
            Self::Queue => tr("Queue"),
        }
    }

    const fn icon(self) -> &'static str {
        match self {
            Self::Layers => icon::LAYERS,
            Self::History => icon::HISTORY,
            Self::Gallery => icon::GALLERY,
            Self::Queue => icon::QUEUE,
        }
    }

    /// The panel that the tab shows.
    #[must_use]
    pub const fn panel(self) -> Panel {
        match self {
            Self::Layers => Panel::Layers,
            Self::History => Panel::History,
            Self::Gallery => Panel::Gallery,
            Self::Queue => Panel::Queue,
        }
    }

    /// The tab of a panel; nothing for those that are no tab.
    #[must_use]
    pub const fn of_panel(panel: Panel) -> Option<Self> {
        match panel {
            Panel::Layers => Some(Self::Layers),
            Panel::History => Some(Self::History),
            Panel::Gallery => Some(Self::Gallery),
            Panel::Queue => Some(Self::Queue),
            Panel::Prompt | Panel::Chat | Panel::Tools => None,
        }
    }
}

/// What the upper part of the dock shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum TopTab {
    /// Prompt and settings.
    #[default]
    Prompt,
    /// The conversation.
    Chat,
}

impl TopTab {
    /// Both, in order.
    pub const ALL: [Self; 2] = [Self::Prompt, Self::Chat];

    /// The tab's name.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Prompt => tr("Draw"),
            Self::Chat => tr("Chat"),
        }
    }

    const fn icon(self) -> &'static str {
        match self {
            Self::Prompt => icon::PROMPT,
            Self::Chat => icon::CHAT,
        }
    }

    /// The panel that the tab shows.
    #[must_use]
    pub const fn panel(self) -> Panel {
        match self {
            Self::Prompt => Panel::Prompt,
            Self::Chat => Panel::Chat,
        }
    }
}

/// What the dock remembers.
#[derive(Default)]
pub struct DockState {
    /// The prompt's panel.
    pub prompt: PromptState,
    /// The conversation.
    pub chat: ChatState,
    /// The layers' panel.
    pub layers: LayersState,
    /// The history's panel.
    pub history: HistoryState,
    /// The gallery.
    pub gallery: GalleryState,
    /// The jobs' panel.
    pub queue: QueueState,
}

fn tab_id() -> Id {
    Id::unique("gesso dock tab")
}

fn top_tab_id() -> Id {
    Id::unique("gesso dock top tab")
}

/// The upper tab that is shown; remembered with the window's layout.
#[must_use]
pub fn top_tab(ctx: &egui::Context) -> TopTab {
    ctx.data_mut(|data| data.get_persisted(top_tab_id())).unwrap_or_default()
}

/// Shows an upper tab.
pub fn show_top_tab(ctx: &egui::Context, tab: TopTab) {
    ctx.data_mut(|data| data.insert_persisted(top_tab_id(), tab));
}

/// The tab that is shown; remembered with the window's layout.
#[must_use]
pub fn dock_tab(ctx: &egui::Context) -> DockTab {
    ctx.data_mut(|data| data.get_persisted(tab_id())).unwrap_or_default()
}

/// Shows a tab.
pub fn show_dock_tab(ctx: &egui::Context, tab: DockTab) {
    ctx.data_mut(|data| data.insert_persisted(tab_id(), tab));
}

/// The dock; the caller has made a panel for it.
pub fn dock_ui(ui: &mut Ui, editor: &Editor, state: &mut DockState, commands: &mut Vec<Command>) {
    let full = ui.available_height();
    let tabs: Vec<DockTab> =
        DockTab::ALL.into_iter().filter(|tab| editor.is_panel_shown(tab.panel())).collect();
    let margin = Margin::symmetric(theme::SPACE_M as i8, theme::SPACE_S as i8);
    let frame = Frame::new().inner_margin(margin);
    let tops: Vec<TopTab> =
        TopTab::ALL.into_iter().filter(|tab| editor.is_panel_shown(tab.panel())).collect();
    if tops.is_empty() {
        frame.show(ui, |ui| tabs_ui(ui, editor, &tabs, state, commands));
        return;
    }
    if !tabs.is_empty() {
        EguiPanel::bottom("dock tabs")
            .resizable(true)
            .default_size((full * 0.5).round())
            .size_range(120.0..=(full - 120.0).max(120.0))
            .frame(frame)
            .show(ui, |ui| tabs_ui(ui, editor, &tabs, state, commands));
    }
    egui::CentralPanel::default().frame(Frame::new()).show(ui, |ui| {
        top_ui(ui, editor, &tops, state, commands);
    });
}

fn top_ui(
    ui: &mut Ui,
    editor: &Editor,
    tops: &[TopTab],
    state: &mut DockState,
    commands: &mut Vec<Command>,
) {
    let mut tab = top_tab(ui.ctx());
    if !tops.contains(&tab) {
        let Some(&first) = tops.first() else { return };
        tab = first;
    }
    if tops.len() > 1 {
        let margin = Margin::symmetric(theme::SPACE_M as i8, 0);
        let tabs: Vec<Tab> = tops.iter().map(|tab| Tab::new(tab.label(), tab.icon(), 0)).collect();
        let mut place = tops.iter().position(|top| *top == tab).unwrap_or_default();
        let bar = Frame::new().inner_margin(margin);
        if bar.show(ui, |ui| tab_bar_ui(ui, "top tab", &tabs, &mut place)).inner
            && let Some(&chosen) = tops.get(place)
        {
            show_top_tab(ui.ctx(), chosen);
            tab = chosen;
        }
    }
    match tab {
        TopTab::Prompt => {
            let area = ScrollArea::vertical().id_salt("prompt panel").auto_shrink([false, false]);
            area.show(ui, |ui| {
                let margin = Margin::same(theme::SPACE_M as i8);
                Frame::new().inner_margin(margin).show(ui, |ui| {
                    prompt_ui(ui, editor, &mut state.prompt, commands);
                });
            });
        }
        TopTab::Chat => chat_ui(ui, editor, &mut state.chat, commands),
    }
}

fn tabs_ui(
    ui: &mut Ui,
    editor: &Editor,
    tabs: &[DockTab],
    state: &mut DockState,
    commands: &mut Vec<Command>,
) {
    // A panel takes the size of its contents: without this, the split would move with them.
    ui.set_min_size(ui.available_size());
    let mut tab = dock_tab(ui.ctx());
    if !tabs.contains(&tab) {
        let Some(&first) = tabs.first() else { return };
        tab = first;
    }
    let mut place = tabs.iter().position(|one| *one == tab).unwrap_or_default();
    let shown: Vec<Tab> = tabs
        .iter()
        .map(|tab| {
            let open = || editor.jobs.jobs.iter().filter(|job| !job.is_over()).count();
            let count = if *tab == DockTab::Queue { open() } else { 0 };
            Tab::new(tab.label(), tab.icon(), count)
        })
        .collect();
    if tab_bar_ui(ui, "tab", &shown, &mut place)
        && let Some(&chosen) = tabs.get(place)
    {
        show_dock_tab(ui.ctx(), chosen);
        tab = chosen;
    }
    ui.add_space(theme::SPACE_XS);
    match tab {
        DockTab::Layers => layers_ui(ui, editor, &mut state.layers, commands),
        DockTab::History => history_ui(ui, editor, &mut state.history, commands),
        DockTab::Gallery => gallery_ui(ui, editor, &mut state.gallery, commands),
        DockTab::Queue => queue_ui(ui, editor, &mut state.queue, commands),
    }
}

/// A tab as it is seen.
struct Tab {
    label: &'static str,
    icon: &'static str,
    /// Jobs that are not over.
    count: usize,
}

impl Tab {
    const fn new(label: &'static str, icon: &'static str, count: usize) -> Self {
        Self { label, icon, count }
    }
}

/// The tabs side by side; says whether the user chose another one. Names are left out where there
/// is no room for all.
fn tab_bar_ui(ui: &mut Ui, salt: &'static str, tabs: &[Tab], shown: &mut usize) -> bool {
    let mut changed = false;
    let (_, bar) = ui.allocate_space(vec2(ui.available_width(), TAB_PX));
    let colors = colors(ui);
    let line = Stroke::new(1.0, colors.line);
    ui.painter().hline(bar.x_range(), bar.bottom() - 0.5, line);
    let width = bar.width() / tabs.len().max(1) as f32;
    for (place, one) in tabs.iter().enumerate() {
        let left = bar.left() + place as f32 * width;
        let rect = Rect::from_min_size(pos2(left, bar.top()), vec2(width, TAB_PX));
        let chosen = *shown == place;
        let count = one.count;
        let child = ui.new_child(UiBuilder::new().max_rect(rect));
        let response = child.interact(rect, ui.scope_id().with((salt, place)), Sense::click());
        let name = if count > 0 {
            trf("{name}, {count} jobs", &[("name", &one.label), ("count", &count)])
        } else {
            one.label.to_owned()
        };
        response.widget_info(|| WidgetInfo::selected(Role::Tab, true, chosen, &name));
        if response.clicked() && !chosen {
            *shown = place;
            changed = true;
        }
        tab_paint(&child, rect.shrink2(vec2(2.0, 0.0)), one, chosen, &response);
        response.on_hover_text(name);
    }
    changed
}

fn tab_paint(ui: &Ui, rect: Rect, tab: &Tab, chosen: bool, response: &egui::Response) {
    let colors = colors(ui);
    if response.hovered() && !chosen {
        ui.painter().rect_filled(rect.shrink2(vec2(0.0, 3.0)), theme::RADIUS, colors.hover);
    }
    if response.has_focus() {
        let ring = Stroke::new(2.0, colors.accent_text);
        ui.painter().rect_stroke(rect, theme::RADIUS, ring, StrokeKind::Inside);
    }
    let color = if chosen { colors.text } else { colors.text_weak };
    let family = if chosen { theme::SEMIBOLD } else { "" };
    let font = match family {
        "" => FontId::new(theme::SMALL_PX, FontFamily::Proportional),
        name => FontId::new(theme::SMALL_PX, FontFamily::Name(name.into())),
    };
    let mut text = tab.label.to_owned();
    if tab.count > 0 {
        text = format!("{text} {}", tab.count);
    }
    let galley = ui.painter().layout_no_wrap(text, font, color);
    let sign_font = FontId::new(theme::ICON_PX - 2.0, FontFamily::Proportional);
    let sign = ui.painter().layout_no_wrap(tab.icon.to_owned(), sign_font, color);
    let gap = 5.0;
    let both = sign.size().x + gap + galley.size().x;
    let with_sign = both <= rect.width() - 8.0;
    let with_text = galley.size().x <= rect.width() - 4.0;
    let center = rect.center();
    if with_sign || !with_text {
        let width = if with_text { both } else { sign.size().x };
        let left = center.x - width / 2.0;
        ui.painter().galley(pos2(left, center.y - sign.size().y / 2.0), sign, Color32::PLACEHOLDER);
        if with_text {
            let at = pos2(left + width - galley.size().x, center.y - galley.size().y / 2.0);
            ui.painter().galley(at, galley, Color32::PLACEHOLDER);
        }
    } else {
        let at = Align2::CENTER_CENTER.align_size_within_rect(galley.size(), rect).min;
        ui.painter().galley(at, galley, Color32::PLACEHOLDER);
    }
    if chosen {
        let line = Stroke::new(2.0, colors.accent_text);
        ui.painter().hline(rect.x_range(), rect.bottom() - 1.0, line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tab_belongs_to_a_panel() {
        let panels = [Panel::Layers, Panel::History, Panel::Gallery, Panel::Queue];
        assert_eq!(panels.map(DockTab::of_panel), DockTab::ALL.map(Some));
        assert_eq!(DockTab::ALL.map(DockTab::panel), panels);
        assert_eq!(DockTab::of_panel(Panel::Prompt), None);
    }
}
