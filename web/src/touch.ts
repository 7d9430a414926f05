// A finger that drags over a plot, as a mouse would: uPlot knows the mouse only. Up and down it scrolls the page (touch-action in the style sheet).

/** touchAsMouse lets an element hear what fingers do on it as what a mouse does. */
export function touchAsMouse(element: HTMLElement): void {
  const send = (to: EventTarget, type: string, event: PointerEvent): void => {
    const { clientX, clientY } = event;
    // Without a movement uPlot takes it for an event that Chrome makes up.
    to.dispatchEvent(new MouseEvent(type, { clientX, clientY, movementX: 1, button: 0, buttons: type === 'mouseup' ? 0 : 1, bubbles: true, cancelable: true, view: window }));
  };
  let finger: number | undefined; // that which came first
  element.addEventListener('pointerdown', (event) => {
    if (event.pointerType === 'touch' && finger === undefined) {
      finger = event.pointerId;
      element.setPointerCapture(finger);
      send(element, 'mouseenter', event);
      send(element, 'mousedown', event);
    }
  });
  element.addEventListener('pointermove', (event) => event.pointerId === finger && send(element, 'mousemove', event));
  for (const type of ['pointerup', 'pointercancel'] as const) {
    element.addEventListener(type, (event) => {
      if (event.pointerId === finger) {
        finger = undefined;
        send(element, 'mouseup', event);
      }
    });
  }
}
