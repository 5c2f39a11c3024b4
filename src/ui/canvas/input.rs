//! From egui's events to the editor's commands.
//!
//! All events of a frame are gone through in their order, so that a fast stroke keeps each of its
//! samples. No widget is needed here: a [`Frame`] says all that matters about the moment.

use egui::{Event, Modifiers, PointerButton, Pos2, Rect, TouchPhase, Vec2};

use crate::editor::{Command, PointerEvent, PointerPhase};
use crate::geom::ScreenPoint;
use crate::ui::canvas::layout::screen_from_pos;
use crate::ui::canvas::wheel::{self, SmoothZoom, Wheel};

/// What matters about one frame.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame<'a> {
    /// What happened, in order.
    pub(super) events: &'a [Event],
    /// The canvas area.
    pub(super) area: Rect,
    /// Whether the pointer is on the canvas and nothing lies above it there.
    pub(super) over: bool,
    /// What the main button does when it goes down.
    pub(super) press: Press,
    /// Which samples of a drag are of use.
    pub(super) sampling: Sampling,
    /// The keys held at the end of the frame.
    pub(super) modifiers: Modifiers,
    /// Whether any button is down at the end of the frame.
    pub(super) any_down: bool,
    /// Whether the main button was pressed twice quickly.
    pub(super) double_clicked: bool,
    /// What several fingers do on a touch screen.
    pub(super) fingers: Option<Fingers>,
    /// Seconds since the last frame.
    pub(super) seconds: f32,
}

/// What the main button does when it goes down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Press {
    /// The tool in hand works.
    Tool,
    /// The view is dragged.
    Pan,
    /// The line between two compared states is moved.
    Split,
    /// Nothing: it closes a menu.
    Nothing,
}

/// Which samples of a drag are of use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sampling {
    /// Each one: for lines that are drawn.
    Every,
    /// The last one of a frame.
    Last,
}

/// Several fingers on a touch screen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Fingers {
    /// Where they are.
    pub(super) center: Pos2,
    /// How much farther apart they are than before, as a factor.
    pub(super) zoom: f32,
    /// How far they moved.
    pub(super) way: Vec2,
}

/// What the pointer is held down for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Drag {
    /// The tool in hand.
    Tool,
    /// Dragging the view, with this button.
    Pan(PointerButton),
    /// The line between two compared states.
    Split,
    /// Nothing any more, until it is let go.
    Nothing,
}

/// What has to be remembered between frames.
#[derive(Debug, Default)]
pub(super) struct Input {
    drag: Option<Drag>,
    last: Pos2,
    hovers: bool,
    modifiers: Modifiers,
    force: Option<f32>,
    // The newest move, where only the newest is of use.
    pending: Option<PointerEvent>,
    zoom: SmoothZoom,
}

impl Input {
    /// What the pointer is held down for.
    pub(super) const fn drag(&self) -> Option<Drag> {
        self.drag
    }

    /// Where the pointer was last.
    pub(super) const fn last(&self) -> Pos2 {
        self.last
    }

    /// Whether the view is still moving by itself.
    pub(super) fn is_moving(&self) -> bool {
        self.zoom.is_moving()
    }

    /// Goes through a frame's events. `split` gets where the line between compared states is
    /// pulled to.
    pub(super) fn translate(
        &mut self,
        frame: &Frame<'_>,
        commands: &mut Vec<Command>,
        split: &mut Option<Pos2>,
    ) {
        if let Some(fingers) = frame.fingers {
            self.fingers(fingers, frame, commands);
        }
        for event in frame.events {
            match *event {
                Event::ModifiersChanged(modifiers) => self.modifiers = modifiers,
                Event::Touch { phase: TouchPhase::Start | TouchPhase::Move, force, .. } => {
                    self.force = force;
                }
                Event::PointerMoved(pos) => self.moved(pos, frame, commands, split),
                Event::PointerButton { pos, button, pressed, modifiers } => {
                    self.modifiers = modifiers;
                    if pressed {
                        self.pressed(pos, button, frame, commands, split);
                    } else {
                        self.released(pos, button, commands);
                    }
                }
                Event::PointerGone => {
                    self.force = None;
                    self.left(commands);
                }
                Event::MouseWheel { unit, delta, source, modifiers, .. } if frame.over => {
                    let height = frame.area.height();
                    match wheel::meaning(unit, delta, source, modifiers, height) {
                        Some(Wheel::ZoomSmoothly(factor)) => {
                            self.zoom.add(factor, screen_from_pos(self.last));
                        }
                        Some(Wheel::Zoom(factor)) => self.zoom_at(factor, commands),
                        Some(Wheel::Pan(way)) => pan(way, commands),
                        None => {}
                    }
                }
                Event::Zoom(factor) if frame.over => self.zoom_at(factor, commands),
                _ => {}
            }
        }
        self.flush(commands);
        self.modifiers = frame.modifiers;
        if let Some((factor, anchor)) = self.zoom.step(frame.seconds) {
            commands.push(Command::ZoomAt { factor, anchor });
        }
        if frame.double_clicked && frame.press == Press::Tool {
            commands.push(self.event(PointerPhase::DoubleClicked, self.last).into());
        }
        if !frame.over && self.drag.is_none() {
            self.left(commands);
        }
        // A release that never came, because another window took the pointer away.
        if !frame.any_down
            && let Some(drag) = self.drag.take()
            && drag == Drag::Tool
        {
            commands.push(self.event(PointerPhase::Released, self.last).into());
        }
    }

    /// Two fingers move and zoom the view; what the first one had begun is taken back.
    fn fingers(&mut self, fingers: Fingers, frame: &Frame<'_>, commands: &mut Vec<Command>) {
        if self.drag == Some(Drag::Tool) {
            commands.push(Command::Escape);
        }
        if self.drag.is_some() {
            self.drag = Some(Drag::Nothing);
        }
        if frame.area.contains(fingers.center) {
            pan(fingers.way, commands);
            if (fingers.zoom - 1.0).abs() > f32::EPSILON {
                let anchor = screen_from_pos(fingers.center);
                commands.push(Command::ZoomAt { factor: fingers.zoom, anchor });
            }
        }
    }

    fn moved(
        &mut self,
        pos: Pos2,
        frame: &Frame<'_>,
        commands: &mut Vec<Command>,
        split: &mut Option<Pos2>,
    ) {
        let way = pos - self.last;
        self.last = pos;
        match self.drag {
            Some(Drag::Tool) => {
                let event = self.event(PointerPhase::Dragged, pos);
                match frame.sampling {
                    Sampling::Every => commands.push(event.into()),
                    Sampling::Last => self.pending = Some(event),
                }
            }
            Some(Drag::Pan(_)) => pan(way, commands),
            Some(Drag::Split) => *split = Some(pos),
            None if frame.over && frame.area.contains(pos) => {
                self.hovers = true;
                self.pending = Some(self.event(PointerPhase::Hovered, pos));
            }
            Some(Drag::Nothing) | None => {}
        }
    }

    fn pressed(
        &mut self,
        pos: Pos2,
        button: PointerButton,
        frame: &Frame<'_>,
        commands: &mut Vec<Command>,
        split: &mut Option<Pos2>,
    ) {
        self.flush(commands);
        self.last = pos;
        if self.drag.is_some() || !frame.over || !frame.area.contains(pos) {
            return;
        }
        self.drag = match (button, frame.press) {
            (PointerButton::Primary, Press::Tool) => {
                commands.push(self.event(PointerPhase::Pressed, pos).into());
                Some(Drag::Tool)
            }
            (PointerButton::Primary, Press::Pan) | (PointerButton::Middle, _) => {
                Some(Drag::Pan(button))
            }
            (PointerButton::Primary, Press::Split) => {
                *split = Some(pos);
                Some(Drag::Split)
            }
            _ => None,
        };
    }

    fn released(&mut self, pos: Pos2, button: PointerButton, commands: &mut Vec<Command>) {
        self.flush(commands);
        self.last = pos;
        match (self.drag, button) {
            (Some(Drag::Tool), PointerButton::Primary) => {
                commands.push(self.event(PointerPhase::Released, pos).into());
            }
            (Some(Drag::Pan(held)), _) if held == button => {}
            (Some(Drag::Split | Drag::Nothing), PointerButton::Primary) => {}
            _ => return,
        }
        self.drag = None;
    }

    fn left(&mut self, commands: &mut Vec<Command>) {
        if self.hovers {
            self.hovers = false;
            self.pending = None;
            commands.push(self.event(PointerPhase::Left, self.last).into());
        }
    }

    fn zoom_at(&self, factor: f32, commands: &mut Vec<Command>) {
        commands.push(Command::ZoomAt { factor, anchor: screen_from_pos(self.last) });
    }

    fn flush(&mut self, commands: &mut Vec<Command>) {
        commands.extend(self.pending.take().map(Command::from));
    }

    fn event(&self, phase: PointerPhase, pos: Pos2) -> PointerEvent {
        PointerEvent {
            phase,
            at: screen_from_pos(pos),
            // A pen that hardly touches reports 0 and would draw nothing.
            pressure: self.force.filter(|&force| force > 0.0).map_or(1.0, |force| force.min(1.0)),
            shift: self.modifiers.shift,
            alt: self.modifiers.alt,
            ctrl: self.modifiers.command,
        }
    }
}

fn pan(way: Vec2, commands: &mut Vec<Command>) {
    if way != Vec2::ZERO {
        commands.push(Command::Pan { dx: way.x, dy: way.y });
    }
}

impl From<PointerEvent> for Command {
    fn from(event: PointerEvent) -> Self {
        Self::Pointer(event)
    }
}

/// Moves the anchor of a zoom that happens in one half of the area, where each half shows the
/// canvas as the whole area would, around its own middle.
pub(super) fn anchor_in_half(anchor: ScreenPoint, area: Rect) -> ScreenPoint {
    let quarter = area.width() / 4.0;
    let by = if anchor.x < area.center().x { quarter } else { -quarter };
    ScreenPoint::new(anchor.x + by, anchor.y)
}

#[cfg(test)]
mod tests {
    use super::*;
    use PointerPhase::{DoubleClicked, Dragged, Hovered, Left, Pressed, Released};
    use egui::{MouseWheelSource, MouseWheelUnit, TouchDeviceId, TouchId, pos2, vec2};

    fn frame(events: &[Event]) -> Frame<'_> {
        Frame {
            events,
            area: Rect::from_min_max(pos2(100.0, 0.0), pos2(500.0, 300.0)),
            over: true,
            press: Press::Tool,
            sampling: Sampling::Every,
            modifiers: Modifiers::NONE,
            any_down: true,
            double_clicked: false,
            fingers: None,
            seconds: 0.016,
        }
    }

    fn run(input: &mut Input, frame: &Frame<'_>) -> Vec<Command> {
        let mut commands = Vec::new();
        input.translate(frame, &mut commands, &mut None);
        commands
    }

    /// Phase and column of the pointer events; anything else fails.
    fn phases(commands: &[Command]) -> Vec<(PointerPhase, f32)> {
        commands
            .iter()
            .map(|command| match command {
                Command::Pointer(event) => (event.phase, event.at.x),
                other => panic!("{other:?}"),
            })
            .collect()
    }

    const fn moved(x: f32) -> Event {
        Event::PointerMoved(pos2(x, 50.0))
    }

    fn button(x: f32, button: PointerButton, pressed: bool) -> Event {
        Event::PointerButton { pos: pos2(x, 50.0), button, pressed, modifiers: Modifiers::NONE }
    }

    fn down(x: f32) -> Event {
        button(x, PointerButton::Primary, true)
    }

    fn up(x: f32) -> Event {
        button(x, PointerButton::Primary, false)
    }

    #[test]
    fn a_stroke_within_one_frame_keeps_all_its_samples_in_order() {
        let events = [
            moved(140.0),
            moved(150.0),
            down(150.0),
            moved(160.0),
            moved(170.0),
            moved(180.0),
            up(180.0),
            moved(190.0),
        ];
        let commands = run(&mut Input::default(), &frame(&events));
        let expected = [
            (Hovered, 150.0),
            (Pressed, 150.0),
            (Dragged, 160.0),
            (Dragged, 170.0),
            (Dragged, 180.0),
            (Released, 180.0),
            (Hovered, 190.0),
        ];
        assert_eq!(phases(&commands), expected);
    }

    #[test]
    fn other_tools_get_the_newest_place_of_a_frame() {
        let events = [
            down(150.0),
            moved(160.0),
            moved(170.0),
            up(170.0),
            down(175.0),
            moved(180.0),
            moved(185.0),
        ];
        let frame = Frame { sampling: Sampling::Last, ..frame(&events) };
        let commands = run(&mut Input::default(), &frame);
        let expected = [
            (Pressed, 150.0),
            (Dragged, 170.0),
            (Released, 170.0),
            (Pressed, 175.0),
            (Dragged, 185.0),
        ];
        assert_eq!(phases(&commands), expected);
    }

    #[test]
    fn a_drag_goes_on_outside_and_a_press_there_is_none() {
        let mut input = Input::default();
        run(&mut input, &frame(&[down(150.0)]));
        let outside = [moved(20.0), up(20.0)];
        let commands = run(&mut input, &Frame { over: false, ..frame(&outside) });
        assert_eq!(phases(&commands), [(Dragged, 20.0), (Released, 20.0)]);
        let press = [down(20.0), moved(200.0), up(200.0)];
        assert!(run(&mut input, &Frame { over: false, ..frame(&press) }).is_empty());
        let covered = [down(200.0)];
        assert!(run(&mut input, &Frame { over: false, ..frame(&covered) }).is_empty());
    }

    #[test]
    fn leaving_is_told_once() {
        let mut input = Input::default();
        run(&mut input, &frame(&[moved(150.0)]));
        let away = [moved(20.0)];
        let commands = run(&mut input, &Frame { over: false, ..frame(&away) });
        assert_eq!(phases(&commands), [(Left, 20.0)]);
        assert!(run(&mut input, &Frame { over: false, ..frame(&[]) }).is_empty());
    }

    #[test]
    fn a_release_that_never_came_is_made_up_for() {
        let mut input = Input::default();
        run(&mut input, &frame(&[down(150.0), moved(160.0)]));
        let commands = run(&mut input, &Frame { any_down: false, ..frame(&[]) });
        assert_eq!(phases(&commands), [(Released, 160.0)]);
        assert_eq!(input.drag(), None);
    }

    #[test]
    fn double_clicks_follow_their_second_click() {
        let events = [down(150.0), up(150.0), down(150.0), up(150.0)];
        let frame = Frame { double_clicked: true, any_down: false, ..frame(&events) };
        let commands = run(&mut Input::default(), &frame);
        let phases: Vec<PointerPhase> =
            phases(&commands).into_iter().map(|(phase, _)| phase).collect();
        assert_eq!(phases, [Pressed, Released, Pressed, Released, DoubleClicked]);
    }

    #[test]
    fn keys_are_those_held_at_the_time_of_each_event() {
        let events = [
            down(150.0),
            moved(160.0),
            Event::ModifiersChanged(Modifiers::SHIFT),
            moved(170.0),
            Event::ModifiersChanged(Modifiers::ALT | Modifiers::COMMAND),
            moved(180.0),
        ];
        let commands = run(&mut Input::default(), &frame(&events));
        let keys: Vec<(bool, bool, bool)> = commands
            .iter()
            .map(|command| match command {
                Command::Pointer(event) => (event.shift, event.alt, event.ctrl),
                other => panic!("{other:?}"),
            })
            .collect();
        let none = (false, false, false);
        assert_eq!(keys, [none, none, (true, false, false), (false, true, true)]);
    }

    #[test]
    fn a_pens_pressure_comes_with_its_place() {
        let touch = |force| Event::Touch {
            device_id: TouchDeviceId(0),
            id: TouchId(0),
            phase: TouchPhase::Move,
            pos: pos2(150.0, 50.0),
            force,
        };
        let events = [
            touch(Some(0.25)),
            down(150.0),
            touch(Some(0.75)),
            moved(160.0),
            touch(Some(0.0)),
            moved(170.0),
            up(170.0),
            Event::PointerGone,
            down(150.0),
        ];
        let commands = run(&mut Input::default(), &frame(&events));
        let pressures: Vec<f32> = commands
            .iter()
            .map(|command| match command {
                Command::Pointer(event) => event.pressure,
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(pressures, [0.25, 0.75, 1.0, 1.0, 1.0]);
    }

    #[test]
    fn the_middle_button_and_the_space_bar_drag_the_view() {
        for (held, press) in
            [(PointerButton::Middle, Press::Tool), (PointerButton::Primary, Press::Pan)]
        {
            let events = [
                moved(150.0),
                button(150.0, held, true),
                moved(160.0),
                moved(190.0),
                button(190.0, held, false),
            ];
            let commands = run(&mut Input::default(), &Frame { press, ..frame(&events) });
            let moves: Vec<f32> = commands
                .iter()
                .filter_map(|command| match command {
                    Command::Pan { dx, dy: 0.0 } => Some(*dx),
                    Command::Pointer(PointerEvent { phase: Hovered, .. }) => None,
                    other => panic!("{other:?}"),
                })
                .collect();
            assert_eq!(moves, [10.0, 30.0]);
        }
    }

    #[test]
    fn a_second_finger_takes_back_what_the_first_had_begun() {
        let mut input = Input::default();
        run(&mut input, &frame(&[down(150.0)]));
        let fingers = Fingers { center: pos2(200.0, 100.0), zoom: 1.5, way: vec2(4.0, 2.0) };
        let events = [moved(155.0)];
        let commands = run(&mut input, &Frame { fingers: Some(fingers), ..frame(&events) });
        assert!(
            matches!(
                commands[..],
                [
                    Command::Escape,
                    Command::Pan { dx: 4.0, dy: 2.0 },
                    Command::ZoomAt { factor: 1.5, anchor: ScreenPoint { x: 200.0, y: 100.0 } }
                ]
            ),
            "{commands:?}"
        );
        assert!(run(&mut input, &frame(&[up(155.0)])).is_empty());
        assert_eq!(input.drag(), None);
    }

    #[test]
    fn wheels_zoom_where_the_pointer_is_and_only_over_the_canvas() {
        let wheel = Event::MouseWheel {
            unit: MouseWheelUnit::Line,
            delta: vec2(0.0, 1.0),
            phase: TouchPhase::Move,
            source: MouseWheelSource::Wheel,
            modifiers: Modifiers::NONE,
        };
        let mut input = Input::default();
        let events = [moved(222.0), wheel.clone(), Event::Zoom(1.25)];
        let commands = run(&mut input, &frame(&events));
        let zooms: Vec<f32> = commands
            .iter()
            .filter_map(|command| match command {
                Command::ZoomAt { factor, anchor } => {
                    assert_eq!(*anchor, ScreenPoint::new(222.0, 50.0));
                    Some(*factor)
                }
                _ => None,
            })
            .collect();
        assert_eq!(zooms[0], 1.25);
        assert!(zooms[1] > 1.0 && zooms[1] < 1.19 && input.is_moving());
        let mut input = Input::default();
        let events = [wheel, Event::Zoom(1.25)];
        assert!(run(&mut input, &Frame { over: false, ..frame(&events) }).is_empty());
        assert!(!input.is_moving());
    }

    #[test]
    fn zooming_in_a_half_is_anchored_in_that_half() {
        let area = Rect::from_min_max(pos2(100.0, 0.0), pos2(500.0, 300.0));
        let middle = ScreenPoint::new(300.0, 150.0);
        assert_eq!(anchor_in_half(ScreenPoint::new(200.0, 150.0), area), middle);
        assert_eq!(anchor_in_half(ScreenPoint::new(400.0, 150.0), area), middle);
    }
}
