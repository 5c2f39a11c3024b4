//! The giving side of XDND, version 5: <https://freedesktop.org/wiki/Specifications/XDND/>.
//!
//! A connection of its own asks the server some 60 times a second where the pointer is and whether
//! the button is held; the window's connection keeps the grab that a held button is. A target is
//! told of the picture with client messages and takes it as the selection `XdndSelection`.

use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::{Duration, Instant};

use x11rb::connection::Connection as _;
use x11rb::errors::{ConnectError, ConnectionError, ReplyError, ReplyOrIdError};
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{
    Atom, AtomEnum, ChangeWindowAttributesAux, ClientMessageEvent, ConnectionExt as _,
    CreateWindowAux, EventMask, KeyButMask, PropMode, Property, PropertyNotifyEvent,
    SELECTION_NOTIFY_EVENT, SelectionNotifyEvent, SelectionRequestEvent, Window, WindowClass,
};
use x11rb::rust_connection::RustConnection;
use x11rb::wrapper::ConnectionExt as _;

use crate::app::drag_out::{Ending, Handed};

/// The newest version of the protocol that is spoken.
const VERSION: u32 = 5;
/// Versions below are too old to be spoken to.
const OLDEST_VERSION: u32 = 3;
/// Between two looks at the pointer.
const LOOK: Duration = Duration::from_millis(16);
/// A target that does not answer for so long is asked again, and gets no drop.
const ANSWER: Duration = Duration::from_secs(2);
/// After a drop the target has this long for each step of taking the picture.
const TAKING: Duration = Duration::from_secs(30);
/// What goes over in one piece; more goes piece by piece.
const PIECE_BYTES: usize = 256 << 10;
/// The key that ends a drag.
const ESCAPE_KEYSYM: u32 = 0xff1b;

x11rb::atom_manager! {
    /// The protocol's names.
    Atoms: AtomsCookie {
        XdndActionCopy,
        XdndAware,
        XdndDrop,
        XdndEnter,
        XdndFinished,
        XdndLeave,
        XdndPosition,
        XdndProxy,
        XdndSelection,
        XdndStatus,
        INCR,
        TARGETS,
        URI_LIST: b"text/uri-list",
        PNG: b"image/png",
    }
}

/// Why the server can't be spoken to.
#[derive(Debug, thiserror::Error)]
pub(super) enum X11Error {
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error(transparent)]
    Connection(#[from] ConnectionError),
    #[error(transparent)]
    Reply(#[from] ReplyError),
    #[error(transparent)]
    ReplyOrId(#[from] ReplyOrIdError),
    #[error("the X server has no screen {0}")]
    NoScreen(usize),
    #[error("another program took the selection")]
    NotOwner,
}

/// Where the pointer is in a window.
pub(super) fn pointer_in(window: Window) -> Result<(i16, i16), X11Error> {
    let (server, _) = x11rb::connect(None)?;
    let pointer = server.query_pointer(window)?.reply()?;
    Ok((pointer.win_x, pointer.win_y))
}

/// Carries a picture until the button is let go or Escape is pressed, and hands it over.
pub(super) fn carry(
    own_window: Window,
    handed: &Receiver<Option<Handed>>,
) -> Result<Ending, X11Error> {
    let mut source = Source::open(own_window)?;
    loop {
        source.take_handed(handed);
        while let Some(event) = source.server.poll_for_event()? {
            source.event(event)?;
        }
        source.answer_requests()?;
        if let Some(ending) = source.step()? {
            source.server.destroy_window(source.window)?;
            // The last messages have left once an answer comes.
            source.server.get_input_focus()?.reply()?;
            return Ok(ending);
        }
        source.server.flush()?;
        std::thread::sleep(LOOK);
    }
}

/// A window that takes what is dropped on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Target {
    window: Window,
    /// Who gets its messages.
    proxy: Window,
    version: u32,
}

/// How far the drag is.
#[derive(Clone, Copy, Debug)]
enum Phase {
    /// The button is held.
    Held,
    /// It was let go; the target has to be heard, and the file written, before it is told.
    Released(Instant),
    /// The target was told to take the picture; when it did something last.
    Dropped(Instant),
    /// The target has taken it.
    Finished,
}

/// What is handed over.
#[derive(Debug)]
enum Content {
    /// It is still being written.
    Awaited,
    Ready(Handed),
    /// It could not be written; the user was told.
    Failed,
}

/// A picture that goes over piece by piece.
#[derive(Debug)]
struct Transfer {
    requestor: Window,
    property: Atom,
    kind: Atom,
    sent: usize,
}

/// The giving side of one drag.
struct Source {
    server: RustConnection,
    atoms: Atoms,
    root: Window,
    /// A window that nobody sees and that the messages are from.
    window: Window,
    /// The program's own one, where the drag is its own business.
    own_window: Window,
    /// The server's time when `began` was.
    server_time: u32,
    began: Instant,
    escape: Option<u8>,
    phase: Phase,
    content: Content,
    target: Option<Target>,
    accepted: bool,
    /// Since when the target owes an answer.
    asked: Option<Instant>,
    pointer: (i16, i16),
    /// Where the target was told that the pointer is.
    told: Option<(i16, i16)>,
    /// Requests that wait for the file.
    requests: Vec<SelectionRequestEvent>,
    transfers: Vec<Transfer>,
}

impl Source {
    fn open(own_window: Window) -> Result<Self, X11Error> {
        let (server, screen) = x11rb::connect(None)?;
        let root = server.setup().roots.get(screen).ok_or(X11Error::NoScreen(screen))?.root;
        let atoms = Atoms::new(&server)?.reply()?;
        let window = server.generate_id()?;
        let values =
            CreateWindowAux::new().override_redirect(1).event_mask(EventMask::PROPERTY_CHANGE);
        let (class, visual) = (WindowClass::INPUT_OUTPUT, x11rb::COPY_FROM_PARENT);
        server.create_window(0, window, root, -10, -10, 1, 1, 0, class, visual, &values)?;
        // A change of nothing tells the server's time.
        server.change_property8(PropMode::APPEND, window, atoms.INCR, AtomEnum::STRING, &[])?;
        server.flush()?;
        let server_time = loop {
            if let Event::PropertyNotify(notice) = server.wait_for_event()? {
                break notice.time;
            }
        };
        server.set_selection_owner(window, atoms.XdndSelection, server_time)?;
        if server.get_selection_owner(atoms.XdndSelection)?.reply()?.owner != window {
            return Err(X11Error::NotOwner);
        }
        let pointer = server.query_pointer(root)?.reply()?;
        Ok(Self {
            escape: escape_keycode(&server)?,
            server,
            atoms,
            root,
            window,
            own_window,
            server_time,
            began: Instant::now(),
            phase: Phase::Held,
            content: Content::Awaited,
            target: None,
            accepted: false,
            asked: None,
            pointer: (pointer.root_x, pointer.root_y),
            told: None,
            requests: Vec::new(),
            transfers: Vec::new(),
        })
    }

    fn take_handed(&mut self, handed: &Receiver<Option<Handed>>) {
        if matches!(self.content, Content::Awaited) {
            match handed.try_recv() {
                Ok(Some(handed)) => self.content = Content::Ready(handed),
                Err(TryRecvError::Empty) => {}
                Ok(None) | Err(TryRecvError::Disconnected) => self.content = Content::Failed,
            }
        }
    }

    /// Looks at the pointer and goes on; the drag's end if it has come.
    fn step(&mut self) -> Result<Option<Ending>, X11Error> {
        match self.phase {
            Phase::Held => {
                if matches!(self.content, Content::Failed) || self.is_escape_down()? {
                    self.set_target(None)?;
                    return Ok(Some(Ending::Cancelled));
                }
                let pointer = self.server.query_pointer(self.root)?.reply()?;
                let place = (pointer.root_x, pointer.root_y);
                if self.told.is_none() || place != self.pointer {
                    self.pointer = place;
                    let target = self.target_at(place)?;
                    self.set_target(target)?;
                }
                if !pointer.mask.contains(KeyButMask::BUTTON1) {
                    self.phase = Phase::Released(Instant::now());
                }
                if self.asked.is_some_and(|asked| asked.elapsed() > ANSWER) {
                    self.asked = None;
                    self.accepted = false;
                }
                self.tell_position()?;
            }
            Phase::Released(since) => {
                let unheard = self.asked.is_some() || self.told != Some(self.pointer);
                let unwritten =
                    matches!(self.content, Content::Awaited) || !self.requests.is_empty();
                let patience = if unheard { ANSWER } else { TAKING };
                if self.target.is_some() && (unheard || unwritten) && since.elapsed() < patience {
                    self.tell_position()?;
                } else if let (Some(target), true, false, Content::Ready(_)) =
                    (self.target, self.accepted, unheard, &self.content)
                {
                    self.send(target, self.atoms.XdndDrop, [0, self.time(), 0, 0])?;
                    self.phase = Phase::Dropped(Instant::now());
                } else {
                    self.set_target(None)?;
                    return Ok(Some(Ending::LetGo));
                }
            }
            Phase::Dropped(since) if since.elapsed() > TAKING => {
                return Ok(Some(Ending::NoAnswer));
            }
            Phase::Dropped(_) => {}
            Phase::Finished => return Ok(Some(Ending::Taken)),
        }
        Ok(None)
    }

    fn is_escape_down(&self) -> Result<bool, X11Error> {
        let Some(code) = self.escape else { return Ok(false) };
        let keys = self.server.query_keymap()?.reply()?.keys;
        Ok(keys[usize::from(code / 8)] & (1 << (code % 8)) != 0)
    }

    /// The topmost window here that takes drops; nothing over the program's own.
    fn target_at(&self, (x, y): (i16, i16)) -> Result<Option<Target>, X11Error> {
        let mut window = self.root;
        loop {
            let found = self.server.translate_coordinates(self.root, window, x, y)?.reply();
            let child = match found {
                Ok(found) => found.child,
                // It was closed meanwhile.
                Err(ReplyError::X11Error(_)) => return Ok(None),
                Err(error) => return Err(error.into()),
            };
            if child == x11rb::NONE || child == self.own_window {
                return Ok(None);
            }
            if let Some(target) = self.aware(child)? {
                return Ok(Some(target));
            }
            window = child;
        }
    }

    /// A window as a target, if it is one.
    fn aware(&self, window: Window) -> Result<Option<Target>, X11Error> {
        let (aware, proxy) = (self.atoms.XdndAware, self.atoms.XdndProxy);
        let proxy = match self.number(window, proxy, AtomEnum::WINDOW)? {
            // One that does not name itself is left over from a program that ended.
            Some(named) if self.number(named, proxy, AtomEnum::WINDOW)? == Some(named) => named,
            _ => window,
        };
        let version = self.number(proxy, aware, AtomEnum::ATOM)?;
        let version = version.filter(|version| *version >= OLDEST_VERSION);
        Ok(version.map(|version| Target { window, proxy, version: version.min(VERSION) }))
    }

    /// A number that a window has, if it is there and has one.
    fn number(&self, window: Window, name: Atom, kind: AtomEnum) -> Result<Option<u32>, X11Error> {
        match self.server.get_property(false, window, name, kind, 0, 1)?.reply() {
            Ok(property) => Ok(property.value32().and_then(|mut values| values.next())),
            Err(ReplyError::X11Error(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Leaves one window and enters another.
    fn set_target(&mut self, target: Option<Target>) -> Result<(), X11Error> {
        if target == self.target {
            return Ok(());
        }
        if let Some(left) = self.target {
            self.send(left, self.atoms.XdndLeave, [0; 4])?;
        }
        if let Some(entered) = target {
            let kinds = [self.atoms.URI_LIST, self.atoms.PNG, x11rb::NONE];
            let data = [entered.version << 24, kinds[0], kinds[1], kinds[2]];
            self.send(entered, self.atoms.XdndEnter, data)?;
            log::debug!("dragged over window {:#x}", entered.window);
        }
        (self.target, self.accepted, self.asked, self.told) = (target, false, None, None);
        Ok(())
    }

    /// Tells the target where the pointer is, once it has answered what it was told before.
    fn tell_position(&mut self) -> Result<(), X11Error> {
        if self.asked.is_some() || self.told == Some(self.pointer) {
            return Ok(());
        }
        let Some(target) = self.target else { return Ok(()) };
        let (x, y) = self.pointer;
        let place = (u32::from(x as u16) << 16) | u32::from(y as u16);
        let data = [0, place, self.time(), self.atoms.XdndActionCopy];
        self.send(target, self.atoms.XdndPosition, data)?;
        self.told = Some(self.pointer);
        self.asked = Some(Instant::now());
        Ok(())
    }

    fn send(&self, target: Target, kind: Atom, data: [u32; 4]) -> Result<(), X11Error> {
        let data = [self.window, data[0], data[1], data[2], data[3]];
        let message = ClientMessageEvent::new(32, target.window, kind, data);
        self.server.send_event(false, target.proxy, EventMask::NO_EVENT, message)?;
        Ok(())
    }

    /// The server's time, about.
    fn time(&self) -> u32 {
        self.server_time.wrapping_add(self.began.elapsed().as_millis() as u32)
    }

    fn event(&mut self, event: Event) -> Result<(), X11Error> {
        match event {
            Event::ClientMessage(message) => {
                let data = message.data.as_data32();
                if self.target.is_none_or(|target| target.window != data[0]) {
                    // From a window that was left meanwhile.
                } else if message.type_ == self.atoms.XdndStatus {
                    self.accepted = data[1] & 1 != 0;
                    self.asked = None;
                } else if message.type_ == self.atoms.XdndFinished
                    && matches!(self.phase, Phase::Dropped(_))
                {
                    self.phase = Phase::Finished;
                }
            }
            Event::SelectionRequest(request) => self.requests.push(request),
            Event::PropertyNotify(notice) if notice.state == Property::DELETE => {
                self.send_piece(&notice)?;
            }
            Event::Error(error) => log::debug!("a window was gone during a drag: {error:?}"),
            _ => {}
        }
        Ok(())
    }

    /// Answers the requests for the picture, those for its file once that is there.
    fn answer_requests(&mut self) -> Result<(), X11Error> {
        for request in std::mem::take(&mut self.requests) {
            let asks_for_picture = [self.atoms.URI_LIST, self.atoms.PNG].contains(&request.target);
            if asks_for_picture && matches!(self.content, Content::Awaited) {
                self.requests.push(request);
                continue;
            }
            if let Phase::Dropped(since) = &mut self.phase {
                *since = Instant::now();
            }
            // Old programs name no property.
            let property = match request.property {
                x11rb::NONE => request.target,
                property => property,
            };
            let given = self.give(&request, property)?;
            let answer = SelectionNotifyEvent {
                response_type: SELECTION_NOTIFY_EVENT,
                sequence: 0,
                time: request.time,
                requestor: request.requestor,
                selection: request.selection,
                target: request.target,
                property: if given { property } else { x11rb::NONE },
            };
            self.server.send_event(false, request.requestor, EventMask::NO_EVENT, answer)?;
        }
        Ok(())
    }

    /// Puts what is asked for on the window that asks, or begins to; whether there is such a thing.
    fn give(&mut self, request: &SelectionRequestEvent, property: Atom) -> Result<bool, X11Error> {
        let (requestor, kind) = (request.requestor, request.target);
        let replace = PropMode::REPLACE;
        if request.selection != self.atoms.XdndSelection {
            return Ok(false);
        }
        if kind == self.atoms.TARGETS {
            let kinds = [self.atoms.TARGETS, self.atoms.URI_LIST, self.atoms.PNG];
            self.server.change_property32(replace, requestor, property, AtomEnum::ATOM, &kinds)?;
            return Ok(true);
        }
        let Content::Ready(handed) = &self.content else { return Ok(false) };
        if kind == self.atoms.URI_LIST {
            let list = format!("{}\r\n", handed.uri);
            self.server.change_property8(replace, requestor, property, kind, list.as_bytes())?;
        } else if kind == self.atoms.PNG && handed.png.len() <= PIECE_BYTES {
            self.server.change_property8(replace, requestor, property, kind, &handed.png)?;
        } else if kind == self.atoms.PNG {
            let watched = ChangeWindowAttributesAux::new().event_mask(EventMask::PROPERTY_CHANGE);
            self.server.change_window_attributes(requestor, &watched)?;
            let size = [handed.png.len() as u32];
            self.server.change_property32(replace, requestor, property, self.atoms.INCR, &size)?;
            self.transfers.push(Transfer { requestor, property, kind, sent: 0 });
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    /// Gives the next piece, once the one before was taken; an empty one ends it.
    fn send_piece(&mut self, notice: &PropertyNotifyEvent) -> Result<(), X11Error> {
        let Content::Ready(handed) = &self.content else { return Ok(()) };
        let here = |transfer: &Transfer| {
            transfer.requestor == notice.window && transfer.property == notice.atom
        };
        let Some(place) = self.transfers.iter().position(here) else { return Ok(()) };
        if let Phase::Dropped(since) = &mut self.phase {
            *since = Instant::now();
        }
        let Transfer { requestor, property, kind, sent } = self.transfers[place];
        let rest = handed.png.get(sent..).unwrap_or_default();
        let piece = &rest[..rest.len().min(PIECE_BYTES)];
        self.server.change_property8(PropMode::REPLACE, requestor, property, kind, piece)?;
        if piece.is_empty() {
            self.transfers.swap_remove(place);
        } else {
            self.transfers[place].sent += piece.len();
        }
        Ok(())
    }
}

/// The key that Escape is on this keyboard.
fn escape_keycode(server: &RustConnection) -> Result<Option<u8>, X11Error> {
    let (first, last) = (server.setup().min_keycode, server.setup().max_keycode);
    let mapping = server.get_keyboard_mapping(first, last - first + 1)?.reply()?;
    let per_key = usize::from(mapping.keysyms_per_keycode).max(1);
    let keys = mapping.keysyms.chunks(per_key).position(|key| key.contains(&ESCAPE_KEYSYM));
    Ok(keys.and_then(|key| u8::try_from(usize::from(first) + key).ok()))
}
