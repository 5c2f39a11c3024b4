//! The canvas as a part of an egui window.

use std::sync::{Arc, Mutex, PoisonError};

use egui_wgpu::{CallbackResources, CallbackTrait, RenderState, ScreenDescriptor};

use crate::geom::PixelRect;
use crate::gpu::{CanvasRenderer, Frame, Stats, Wake};

/// Makes a window able to show [`CanvasCallback`]s; once, when it opens.
pub fn install(state: &RenderState) {
    let renderer = CanvasRenderer::new(&state.device, state.target_format);
    state.renderer.write().callback_resources.insert(renderer);
}

/// What the newest frame took, for whoever asked for it.
#[derive(Clone, Debug, Default)]
pub struct Report(Arc<Mutex<Stats>>);

impl Report {
    /// What the newest frame took.
    #[must_use]
    pub fn stats(&self) -> Stats {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, stats: Stats) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = stats;
    }
}

/// Draws a frame inside a window. Its rectangle in the window must be the frame's viewport.
///
/// Give it to `egui_wgpu::Callback::new_paint_callback`; the window must have been through
/// [`install`].
pub struct CanvasCallback {
    /// What is drawn.
    pub frame: Frame,
    /// Called when another frame has more to show.
    pub wake: Wake,
    /// Told what the frame took.
    pub report: Report,
}

impl CanvasCallback {
    /// The callback as a shape to be painted over its viewport.
    #[must_use]
    pub fn into_shape(self) -> egui::PaintCallback {
        let viewport = self.frame.viewport;
        let rect = egui::Rect::from_min_size(
            egui::pos2(viewport.min.x, viewport.min.y),
            egui::vec2(viewport.size.0, viewport.size.1),
        );
        egui_wgpu::Callback::new_paint_callback(rect, self)
    }
}

impl CallbackTrait for CanvasCallback {
    fn prepare(
        &self,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        _: &ScreenDescriptor,
        _: &mut wgpu::CommandEncoder,
        resources: &mut CallbackResources,
    ) -> Vec<wgpu::CommandBuffer> {
        let Some(renderer) = resources.get_mut::<CanvasRenderer>() else {
            log::error!("the canvas is not shown: the window has no renderer for it");
            return Vec::new();
        };
        self.report.set(renderer.prepare(device, queue, &self.frame, Some(&self.wake)));
        Vec::new()
    }

    fn paint(
        &self,
        info: egui::PaintCallbackInfo,
        pass: &mut wgpu::RenderPass<'static>,
        resources: &CallbackResources,
    ) {
        let Some(renderer) = resources.get::<CanvasRenderer>() else { return };
        let (area, clip) = (info.viewport_in_pixels(), info.clip_rect_in_pixels());
        let clip = PixelRect::new(
            clip.left_px,
            clip.top_px,
            clip.width_px.max(0) as u32,
            clip.height_px.max(0) as u32,
        );
        renderer.paint(pass, (area.left_px, area.top_px), clip);
    }
}
