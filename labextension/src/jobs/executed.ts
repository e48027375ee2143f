/**
 * The executed notebook of a job, to read: JupyterLab's own cells, without a kernel and without a file.
 */

import type { IEditorServices } from '@jupyterlab/codeeditor';
import type { INotebookContent } from '@jupyterlab/nbformat';
import {
  NotebookModel,
  type NotebookPanel,
  StaticNotebook
} from '@jupyterlab/notebook';
import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { Panel, Widget } from '@lumino/widgets';
import { sentence } from '../api/errors';

export interface NotebookParts {
  readonly contentFactory: NotebookPanel.IContentFactory;
  readonly editorServices: IEditorServices;
  readonly rendermime: IRenderMimeRegistry;
}

export interface ExecutedNotebookOptions {
  readonly parts: NotebookParts;
  readonly fetch: () => Promise<unknown>;
  readonly isTrusted: () => boolean;
}

/** Fetches the notebook when it is shown. */
export class ExecutedNotebook extends Panel {
  constructor(private readonly options: ExecutedNotebookOptions) {
    super();
    this.addClass('mlws-Executed');
  }

  /** Fetch the notebook as it is now, and draw it. */
  async refresh(): Promise<void> {
    const generation = ++this._generation;
    let view: Widget;
    try {
      const content = (await this.options.fetch()) as INotebookContent;
      view = this.draw(content);
    } catch (error) {
      view = new Widget();
      view.addClass('mlws-quiet');
      view.node.textContent = sentence(error).message;
    }
    if (this.isDisposed || generation !== this._generation) {
      view.dispose();
      return;
    }
    [...this.widgets].forEach(old => old.dispose());
    this.addWidget(view);
  }

  private draw(content: INotebookContent): Widget {
    const { contentFactory, editorServices, rendermime } = this.options.parts;
    const model = new NotebookModel();
    model.fromJSON({
      ...content,
      cells: content.cells.map(cell => ({
        ...cell,
        metadata: { ...cell.metadata, editable: false, deletable: false }
      }))
    });
    model.readOnly = true;
    if (this.options.isTrusted()) {
      for (const cell of model.cells) {
        cell.trusted = true;
      }
    }
    const notebook = new StaticNotebook({
      contentFactory,
      rendermime: rendermime.clone(),
      mimeTypeService: editorServices.mimeTypeService,
      notebookConfig: {
        ...StaticNotebook.defaultNotebookConfig,
        // The other modes go on drawing when idle, and stumble over a notebook that was closed meanwhile.
        windowingMode: 'none'
      }
    });
    notebook.model = model;
    notebook.disposed.connect(() => model.dispose());
    return notebook;
  }

  private _generation = 0;
}
