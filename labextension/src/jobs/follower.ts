/**
 * Scrolling as a terminal does.
 */

import type { Message } from '@lumino/messaging';
import { Panel } from '@lumino/widgets';

/** Keeps its content's end in sight until the reader scrolls away from it. */
export class Follower extends Panel {
  constructor() {
    super();
    this.addClass('mlws-Follower');
    this.node.tabIndex = 0;
    this._sizes = new ResizeObserver(() => this.stick());
  }

  override dispose(): void {
    this._sizes.disconnect();
    super.dispose();
  }

  /** Whether to follow the end at all. */
  follow = true;

  protected override onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    this.node.addEventListener('scroll', this);
    this.widgets.forEach(widget => this._sizes.observe(widget.node));
  }

  protected override onBeforeDetach(message: Message): void {
    this.node.removeEventListener('scroll', this);
    this._sizes.disconnect();
    super.onBeforeDetach(message);
  }

  handleEvent(): void {
    const { scrollHeight, scrollTop, clientHeight } = this.node;
    this._atEnd = scrollHeight - scrollTop - clientHeight < 16;
  }

  private stick(): void {
    if (this.follow && this._atEnd) {
      this.node.scrollTop = this.node.scrollHeight;
    }
  }

  private readonly _sizes: ResizeObserver;
  private _atEnd = true;
}
