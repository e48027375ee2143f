/**
 * The executed notebook of a job, to read: JupyterLab's own cells, without a kernel and without a file.
 */

import type { IEditorServices } from '@jupyterlab/codeeditor';
import type { ICodeCell, INotebookContent } from '@jupyterlab/nbformat';
import {
  NotebookModel,
  type NotebookPanel,
  StaticNotebook
} from '@jupyterlab/notebook';
import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import type { Message } from '@lumino/messaging';
import { Panel, Widget } from '@lumino/widgets';
import { sentence } from '../api/errors';
import { extend, hasSameCells, type OutputsModel } from './extend';
import { Paced } from './paced';
import type { JobEntry } from './store';

/** Milliseconds between two looks at a running job's notebook. */
const PAUSE = 1000;

export interface NotebookParts {
  readonly contentFactory: NotebookPanel.IContentFactory;
  readonly editorServices: IEditorServices;
  readonly rendermime: IRenderMimeRegistry;
}

export interface ExecutedNotebookOptions {
  readonly parts: NotebookParts;
  readonly entry: JobEntry;
  readonly fetch: () => Promise<unknown>;
  readonly isTrusted: () => boolean;
}

/** Follows the notebook while it is on the screen: it is fetched when the job has changed since. */
export class ExecutedNotebook extends Panel {
  constructor(private readonly options: ExecutedNotebookOptions) {
    super();
    this.addClass('mlws-Executed');
    options.entry.changed.connect(this.onChange, this);
  }

  override dispose(): void {
    this._paced.dispose();
    super.dispose();
  }

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this.onChange();
  }

  private onChange(): void {
    if (this.isVisible && this._seen !== this.state) {
      this._paced.ask();
    }
  }

  /** Names a state of the job: in another one its notebook may be another. */
  private get state(): string {
    const { job } = this.options.entry;
    return job ? `${job.attempt} ${job.offset} ${job.status}` : '';
  }

  /** Fetch the notebook as it is now, and draw it. */
  private async refresh(): Promise<void> {
    const { state } = this;
    try {
      const content = (await this.options.fetch()) as INotebookContent;
      if (!this.isDisposed) {
        this.bring(content);
        this._seen = state;
      }
    } catch (error) {
      // A notebook that is drawn says more than that it could not be fetched again.
      if (!this.isDisposed && !this._drawn) {
        const view = new Widget();
        view.addClass('mlws-quiet');
        view.node.textContent = sentence(error).message;
        this.replace(view);
      }
    }
  }

  private bring(content: INotebookContent): void {
    const drawn = this._drawn;
    if (drawn && hasSameCells(drawn.content, content)) {
      update(drawn.model, drawn.content, content);
      this._drawn = { model: drawn.model, content };
    } else {
      const model = this.model(content);
      this.replace(this.draw(model));
      this._drawn = { model, content };
    }
  }

  private replace(view: Widget): void {
    [...this.widgets].forEach(old => old.dispose());
    this.addWidget(view);
  }

  private model(content: INotebookContent): NotebookModel {
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
    return model;
  }

  private draw(model: NotebookModel): StaticNotebook {
    const { contentFactory, editorServices, rendermime } = this.options.parts;
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

  private readonly _paced = new Paced(() => this.refresh(), PAUSE);
  private _seen: string | null = null;
  private _drawn: { model: NotebookModel; content: INotebookContent } | null =
    null;
}

/** The part of JupyterLab's model of a code cell that changes while it runs. */
interface RunningCell {
  readonly outputs: OutputsModel;
  executionCount: number | null;
}

/** Bring the outputs of `model` from those in `before` to those in `after`. */
function update(
  model: NotebookModel,
  before: INotebookContent,
  after: INotebookContent
): void {
  after.cells.forEach((now, i) => {
    if (now.cell_type === 'code') {
      const cell = model.cells.get(i) as unknown as RunningCell;
      const { outputs, execution_count } = now as ICodeCell;
      extend(cell.outputs, (before.cells[i] as ICodeCell).outputs, outputs);
      cell.executionCount = execution_count;
    }
  });
}
