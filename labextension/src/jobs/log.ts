/**
 * An attempt's event log, folded into what there is to see. Pure: no I/O, no widgets.
 */

import type { FileValue, LogEvent } from '../api/types';
import { tailOf } from '../text/ansi';

/** Text that the job printed. */
export interface StreamOutput {
  output_type: 'stream';
  name: string;
  text: string;
}

/** A display or a result. A large value is replaced by the file that holds it. */
export interface RichOutput {
  output_type: 'display_data' | 'execute_result';
  data: Record<string, unknown>;
  metadata: Record<string, unknown>;
  execution_count?: number | null;
}

/** An exception. */
export interface ErrorOutput {
  output_type: 'error';
  ename: string;
  evalue: string;
  traceback: string[];
}

export type LoggedOutput = StreamOutput | RichOutput | ErrorOutput;

/** One output as it stands. */
export interface Entry {
  /** Names the output within the log, for good. */
  readonly key: number;
  readonly displayId: string | null;
  /** Grows with each change other than text appended at the end of a stream. */
  version: number;
  output: LoggedOutput;
}

/** One code cell as far as the log tells of it. */
export interface CellLog {
  readonly index: number;
  /** Counts the code cells from 1; null where the log was read from a place after the cell's beginning. */
  position: number | null;
  state: 'running' | 'ok' | 'error' | 'skipped';
  seconds: number | null;
  entries: Entry[];
}

/** A sentence about the run itself. */
export interface LogMessage {
  readonly level: 'info' | 'warning' | 'error';
  readonly text: string;
}

/** The interpreter that the job ran on. */
export interface SeenEnvironment {
  readonly python: string;
  readonly packages: readonly string[];
}

/** How much a view keeps of a long log. */
export interface Limits {
  /** Characters of one stream. */
  readonly stream: number;
  /** Outputs, over all cells. */
  readonly outputs: number;
  /** Characters of all outputs together, pictures included. */
  readonly weight: number;
}

type Payload = Record<string, unknown>;

/** Takes the events of one attempt, in order. */
export class JobLog {
  readonly cells: CellLog[] = [];
  readonly messages: LogMessage[] = [];
  environment: SeenEnvironment | null = null;
  /** Number of code cells, where the log told. */
  total = 0;
  /** Characters that were dropped at the beginning to stay within limits. */
  dropped = 0;

  add(event: LogEvent): void {
    switch (event.type) {
      case 'cell':
        this.onCell(event);
        break;
      case 'output':
        this.onOutput(event.cell, event.output, event.display_id ?? null);
        break;
      case 'message':
        this.messages.push({ level: event.level, text: event.text });
        break;
      case 'environment':
        this.environment = { python: event.python, packages: event.packages };
        break;
      default:
        // What the job's record tells as well: status, results; and what nobody looks at here.
        break;
    }
  }

  get hasOutput(): boolean {
    return this.cells.some(cell => cell.entries.length > 0);
  }

  /** Drop the oldest output where there is more than `limits` allow. */
  trim(limits: Limits): void {
    for (const entry of this.entries()) {
      const { output } = entry;
      if (
        output.output_type === 'stream' &&
        output.text.length > limits.stream
      ) {
        // Half the limit is kept, so that the next lines do not trim again.
        const text = tailOf(output.text, Math.floor(limits.stream / 2));
        this.dropped += Math.max(0, output.text.length - text.length);
        output.text = text;
        entry.version += 1;
      }
    }
    let entries = this.entries();
    let weight = entries.reduce((sum, entry) => sum + weightOf(entry), 0);
    let surplus =
      entries.length > limits.outputs
        ? entries.length - Math.floor(limits.outputs / 2)
        : 0;
    while (entries.length > 1 && (surplus > 0 || weight > limits.weight)) {
      const gone = weightOf(entries[0]);
      this.cells.find(cell => cell.entries.length > 0)?.entries.shift();
      entries = entries.slice(1);
      this.dropped += gone;
      weight -= gone;
      surplus -= 1;
    }
  }

  private entries(): Entry[] {
    return this.cells.flatMap(cell => cell.entries);
  }

  private onCell(event: Extract<LogEvent, { type: 'cell' }>): void {
    const cell = this.cell(event.index);
    cell.position = event.position;
    cell.state = event.state;
    cell.seconds = event.seconds ?? null;
    this.total = event.total;
  }

  private cell(index: number): CellLog {
    const known = this.cells.find(cell => cell.index === index);
    if (known) {
      return known;
    }
    const cell: CellLog = {
      index,
      position: null,
      state: 'running',
      seconds: null,
      entries: []
    };
    const after = this.cells.findIndex(other => other.index > index);
    this.cells.splice(after === -1 ? this.cells.length : after, 0, cell);
    return cell;
  }

  private onOutput(
    index: number,
    payload: Payload,
    displayId: string | null
  ): void {
    const cell = this.cell(index);
    switch (payload.output_type) {
      case 'clear_output':
        if (payload.wait === true) {
          this._clearNext.add(index);
        } else {
          cell.entries = [];
        }
        return;
      case 'update_display_data':
        this.updateDisplay(payload, displayId);
        return;
    }
    const output = outputOf(payload);
    if (!output) {
      return;
    }
    if (this._clearNext.delete(index)) {
      cell.entries = [];
    }
    const last = cell.entries.at(-1)?.output;
    if (
      output.output_type === 'stream' &&
      last?.output_type === 'stream' &&
      last.name === output.name
    ) {
      last.text += output.text;
      return;
    }
    cell.entries.push({ key: this._nextKey++, displayId, version: 0, output });
  }

  private updateDisplay(payload: Payload, displayId: string | null): void {
    for (const entry of this.entries()) {
      const { output } = entry;
      if (
        displayId !== null &&
        entry.displayId === displayId &&
        'data' in output
      ) {
        entry.output = {
          ...output,
          data: record(payload.data),
          metadata: record(payload.metadata)
        };
        entry.version += 1;
      }
    }
  }

  /** Cells that asked to be cleared when the next output comes. */
  private readonly _clearNext = new Set<number>();
  private _nextKey = 0;
}

/** The output in a log event, normalized; null where it is none that can be shown. */
function outputOf(payload: Payload): LoggedOutput | null {
  switch (payload.output_type) {
    case 'stream':
      return {
        output_type: 'stream',
        name: payload.name === 'stderr' ? 'stderr' : 'stdout',
        text: joined(payload.text)
      };
    case 'error':
      return {
        output_type: 'error',
        ename: joined(payload.ename),
        evalue: joined(payload.evalue),
        traceback: Array.isArray(payload.traceback)
          ? payload.traceback.map(joined)
          : []
      };
    case 'display_data':
    case 'execute_result':
      return {
        output_type: payload.output_type,
        data: record(payload.data),
        metadata: record(payload.metadata),
        ...(payload.output_type === 'execute_result' && {
          execution_count: payload.execution_count as number | null
        })
      };
    default:
      return null;
  }
}

/** Whether a value of a rich output lies in a file. */
export function isFileValue(value: unknown): value is FileValue {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as Partial<FileValue>).file === 'string' &&
    typeof (value as Partial<FileValue>).size === 'number' &&
    Object.keys(value).length === 2
  );
}

function weightOf({ output }: Entry): number {
  switch (output.output_type) {
    case 'stream':
      return output.text.length;
    case 'error':
      return output.traceback.reduce((sum, line) => sum + line.length, 0);
    default:
      return Object.values(output.data).reduce<number>(
        (sum, value) => sum + weightOfValue(value),
        0
      );
  }
}

function weightOfValue(value: unknown): number {
  if (typeof value === 'string') {
    return value.length;
  }
  return isFileValue(value) ? value.size : 1000;
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null
    ? (value as Record<string, unknown>)
    : {};
}

/** nbformat allows a text to be a list of lines. */
function joined(value: unknown): string {
  if (Array.isArray(value)) {
    return value.join('');
  }
  return typeof value === 'string' ? value : '';
}
