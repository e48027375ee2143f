/**
 * Tracebacks, folded: the card says above what went wrong.
 */

import { SimplifiedOutputArea } from '@jupyterlab/outputarea';
import type { IOutputModel } from '@jupyterlab/rendermime';
import { PanelLayout, Widget } from '@lumino/widgets';
import { headline } from './told';

/** An output area without prompts, whose tracebacks are folded. */
export class JobOutputArea extends SimplifiedOutputArea {
  /** The error that the view shows beside this output. */
  set told(value: string | null) {
    this._told = value;
    for (const folded of this.widgets) {
      if (folded instanceof FoldedTraceback) {
        folded.told = value;
      }
    }
  }

  protected override createOutputItem(model: IOutputModel): Widget | null {
    const item = super.createOutputItem(model);
    if (item && model.type === 'error') {
      const { ename, evalue } = model.toJSON() as Record<string, unknown>;
      const folded = new FoldedTraceback(item, String(ename), String(evalue));
      folded.told = this._told;
      return folded;
    }
    return item;
  }

  private _told: string | null = null;
}

/** A traceback under a line that says what it is. */
class FoldedTraceback extends Widget {
  constructor(
    traceback: Widget,
    private readonly ename: string,
    private readonly evalue: string
  ) {
    super({ node: document.createElement('details') });
    this.addClass('mlws-Traceback');
    this._summary.node.title = 'Traceback';
    const layout = new PanelLayout();
    layout.addWidget(this._summary);
    layout.addWidget(traceback);
    this.layout = layout;
  }

  set told(value: string | null) {
    const { text, quiet } = headline(this.ename, this.evalue, value);
    this._summary.node.textContent = text;
    this.toggleClass('mlws-mod-quiet', quiet);
  }

  private readonly _summary = new Widget({
    node: document.createElement('summary')
  });
}
