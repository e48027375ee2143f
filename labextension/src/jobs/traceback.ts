/**
 * Tracebacks, folded: the card says above what went wrong.
 */

import { SimplifiedOutputArea } from '@jupyterlab/outputarea';
import type { IOutputModel } from '@jupyterlab/rendermime';
import { PanelLayout, Widget } from '@lumino/widgets';
import { stripAnsi } from '../text/ansi';

/** An output area without prompts, whose tracebacks are folded. */
export class JobOutputArea extends SimplifiedOutputArea {
  protected override createOutputItem(model: IOutputModel): Widget | null {
    const item = super.createOutputItem(model);
    if (item && model.type === 'error') {
      const { ename, evalue } = model.toJSON() as Record<string, unknown>;
      return new FoldedTraceback(item, `${String(ename)}: ${String(evalue)}`);
    }
    return item;
  }
}

/** A traceback under its last line. */
class FoldedTraceback extends Widget {
  constructor(traceback: Widget, sentence: string) {
    super({ node: document.createElement('details') });
    this.addClass('mlws-Traceback');
    const summary = new Widget({ node: document.createElement('summary') });
    summary.node.textContent = stripAnsi(sentence);
    summary.node.title = 'Traceback';
    const layout = new PanelLayout();
    layout.addWidget(summary);
    layout.addWidget(traceback);
    this.layout = layout;
  }
}
