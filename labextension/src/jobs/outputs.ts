/**
 * A job's output, drawn by JupyterLab's own output areas.
 */

import { OutputAreaModel } from '@jupyterlab/outputarea';
import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { Panel, Widget } from '@lumino/widgets';
import { duration } from '../text/format';
import { filled, renderable, type Renderable } from './files';
import type { CellLog, Entry, JobLog } from './log';
import { JobOutputArea } from './traceback';

/** Fetches a file of the attempt's outputs. */
export type FetchFile = (file: string) => Promise<Blob>;

export interface OutputsOptions {
  readonly rendermime: IRenderMimeRegistry;
  readonly fetchFile: FetchFile;
  /** Show cells that have put out nothing, too. */
  readonly allCells: boolean;
}

/** The output of all cells of a log, one below the other. */
export class Outputs extends Panel {
  constructor(private readonly options: OutputsOptions) {
    super();
    this.addClass('mlws-Outputs');
  }

  /** Whether scripts and styles in the output may act: the reader ran this job. */
  set trusted(value: boolean) {
    this._trusted = value;
    this._cells.forEach(cell => (cell.trusted = value));
  }

  /** The error that the view shows beside the output: it is not said twice. */
  set told(value: string | null) {
    this._told = value;
    this._cells.forEach(cell => (cell.told = value));
  }

  /** Bring the widgets in line with `log`, with as little change as there is. */
  render(log: JobLog): void {
    if (log !== this._log) {
      this._log = log;
      this._cells.forEach(cell => cell.dispose());
      this._cells.clear();
    }
    const titled = log.total > 1 || log.cells.length > 1;
    for (const cell of log.cells) {
      const known = this._cells.get(cell.index);
      if (known) {
        known.render(cell, titled);
      } else if (
        cell.entries.length > 0 ||
        (titled && (this.options.allCells || cell.state === 'running'))
      ) {
        this.insert(cell, titled);
      }
    }
  }

  private insert(cell: CellLog, titled: boolean): void {
    const view = new CellOutputs(this.options, this._trusted);
    const after = [...this._cells.keys()].filter(i => i < cell.index).length;
    view.told = this._told;
    this._cells.set(cell.index, view);
    this.insertWidget(after, view);
    view.render(cell, titled);
  }

  private readonly _cells = new Map<number, CellOutputs>();
  private _log: JobLog | null = null;
  private _trusted = false;
  private _told: string | null = null;
}

/** What was drawn for an entry. */
interface Drawn {
  readonly entry: Entry;
  version: number;
  /** Characters of a stream that the model has. */
  length: number;
}

/** The output of one cell, under its title. */
class CellOutputs extends Panel {
  constructor(
    private readonly options: OutputsOptions,
    trusted: boolean
  ) {
    super();
    this._model = new OutputAreaModel({ trusted });
    this._title.addClass('mlws-Outputs-title');
    this.addWidget(this._title);
    this._area = new JobOutputArea({
      model: this._model,
      rendermime: options.rendermime
    });
    this.addWidget(this._area);
  }

  set told(value: string | null) {
    this._area.told = value;
  }

  set trusted(value: boolean) {
    if (value !== this._model.trusted) {
      this._model.trusted = value;
      // What can be shown of an output depends on it.
      this._drawn = [];
      this._model.clear();
    }
  }

  override dispose(): void {
    if (!this.isDisposed) {
      super.dispose();
      this._model.dispose();
    }
  }

  /** Bring the model in line with `cell`. */
  render(cell: CellLog, titled: boolean): void {
    this._title.setHidden(!titled);
    this._title.node.textContent = titleOf(cell);
    this._title.dataset.state = cell.state;
    if (!this.isContinued(cell.entries)) {
      this._model.clear();
      this._drawn = [];
    }
    cell.entries.forEach((entry, i) => this.draw(entry, i));
  }

  /** Whether what is drawn is the beginning of `entries`: nothing was cleared or cut off. */
  private isContinued(entries: readonly Entry[]): boolean {
    return (
      this._drawn.length <= entries.length &&
      this._drawn.every(
        ({ entry, version }, i) =>
          entry === entries[i] &&
          (version === entry.version || entry.output.output_type !== 'stream')
      )
    );
  }

  private draw(entry: Entry, index: number): void {
    const drawn = this._drawn.at(index);
    const { output } = entry;
    if (output.output_type === 'stream') {
      // The model appends to the stream before it, and knows what a carriage return does.
      const text = output.text.slice(drawn?.length ?? 0);
      if (text.length > 0 || !drawn) {
        this._model.add({ ...output, text });
      }
    } else if (drawn?.version !== entry.version) {
      this.drawRich(entry, index);
    }
    const length = output.output_type === 'stream' ? output.text.length : 0;
    this._drawn[index] = { entry, version: entry.version, length };
  }

  private drawRich(entry: Entry, index: number): void {
    const { rendermime } = this.options;
    const { output } = entry;
    const now = renderable(output, rendermime, this._model.trusted);
    this.put(now.output, index);
    const { missing } = now;
    if (missing && 'data' in output) {
      void this.options
        .fetchFile(missing.value.file)
        .then(file => filled(output, missing, file))
        .catch((error: unknown) => unread(missing.value.file, error))
        .then(whole => this.replace(entry, output, whole));
    }
  }

  /** Put the fetched output in its place, unless the place is another's by now. */
  private replace(entry: Entry, from: object, whole: Renderable): void {
    const index = this._drawn.findIndex(drawn => drawn.entry === entry);
    if (!this.isDisposed && index !== -1 && entry.output === from) {
      this.put(whole, index);
    }
  }

  private put(output: Renderable, index: number): void {
    if (index < this._model.length) {
      this._model.set(index, output);
    } else {
      this._model.add(output);
    }
  }

  private readonly _model: OutputAreaModel;
  private readonly _area: JobOutputArea;
  private readonly _title = new Widget();
  private _drawn: Drawn[] = [];
}

function titleOf(cell: CellLog): string {
  const name = cell.position === null ? 'cell' : `cell ${cell.position}`;
  const words = {
    running: 'running',
    ok: '',
    error: 'failed',
    skipped: 'skipped'
  };
  const took = cell.seconds === null ? '' : duration(cell.seconds);
  return [name, words[cell.state], took].filter(Boolean).join(' · ');
}

function unread(file: string, error: unknown): Renderable {
  const why = error instanceof Error ? error.message : String(error);
  return {
    output_type: 'stream',
    name: 'stderr',
    text: `${file} could not be read: ${why}\n`
  };
}
