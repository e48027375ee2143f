/**
 * Pages under a strip of tabs, one of which is shown.
 */

import { Panel, TabBar, Widget } from '@lumino/widgets';

/** Lays out by CSS alone, so that the pages' heights follow what stands above. */
export class TabbedPages extends Panel {
  constructor() {
    super();
    this.addClass('mlws-TabbedPages');
    this._bar.addClass('mlws-Tabs');
    this.addWidget(this._bar);
    this._bar.currentChanged.connect((_, { previousTitle, currentTitle }) => {
      this.turn(previousTitle?.owner, false);
      this.turn(currentTitle?.owner, true);
    });
  }

  addPage(label: string, page: Widget): void {
    page.title.label = label;
    page.node.setAttribute('role', 'tabpanel');
    page.node.setAttribute('aria-label', label);
    page.hide();
    this.addWidget(page);
    this._bar.addTab(page.title);
  }

  select(page: Widget): void {
    this._bar.currentTitle = page.title;
  }

  private turn(page: Widget | undefined, shown: boolean): void {
    if (page && !page.isDisposed) {
      page.setHidden(!shown);
    }
  }

  private readonly _bar = new TabBar<Widget>({ orientation: 'horizontal' });
}
