/**
 * Outputs as JupyterLab renders them: large values brought in from their files, the rest as it is.
 */

import type {
  IDisplayData,
  IError,
  IExecuteResult,
  IStream
} from '@jupyterlab/nbformat';
import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import type { PartialJSONObject } from '@lumino/coreutils';
import type { FileValue } from '../api/types';
import { size } from '../text/format';
import { isFileValue, type LoggedOutput, type RichOutput } from './log';

export type Renderable = IStream | IDisplayData | IExecuteResult | IError;

/** Larger values are not brought into a page. */
const LARGEST = 50_000_000;
/** A job's widgets lived in its kernel, which is gone. */
const DEAD = 'application/vnd.jupyter.widget-view+json';

/** The value of a rich output that would be shown, if it lies in a file. */
export interface Missing {
  readonly mimeType: string;
  readonly value: FileValue;
}

/** What can be shown of `output` now, and the file that has to be fetched to show it whole. */
export function renderable(
  output: LoggedOutput,
  rendermime: IRenderMimeRegistry,
  trusted: boolean
): { output: Renderable; missing: Missing | null } {
  if (!('data' in output)) {
    return { output: output as Renderable, missing: null };
  }
  const data = Object.fromEntries(
    Object.entries(output.data).filter(([mimeType]) => mimeType !== DEAD)
  );
  const mimeType = rendermime.preferredMimeType(
    data as PartialJSONObject,
    trusted ? 'any' : 'ensure'
  );
  const value = mimeType === undefined ? null : data[mimeType];
  if (mimeType === undefined || !isFileValue(value)) {
    const inline = Object.entries(data).filter(([, v]) => !isFileValue(v));
    return {
      output: withData(output, Object.fromEntries(inline)),
      missing: null
    };
  }
  const fits = value.size <= LARGEST;
  const note = fits ? 'Loading' : 'Too large to show here:';
  const text = `${note} ${mimeType}, ${size(value.size)}`;
  return {
    output: withData(output, { 'text/plain': text }),
    missing: fits ? { mimeType, value } : null
  };
}

/** The output with the value that was fetched. */
export async function filled(
  output: RichOutput,
  { mimeType }: Missing,
  file: Blob
): Promise<Renderable> {
  return withData(output, { [mimeType]: await decoded(mimeType, file) });
}

/** A value as nbformat holds it: JSON, text, or base64. */
async function decoded(mimeType: string, file: Blob): Promise<unknown> {
  if (/[/+]json\b/.test(mimeType)) {
    return JSON.parse(await file.text());
  }
  if (/^text\/|[/+]xml\b|javascript|latex/.test(mimeType)) {
    return file.text();
  }
  return base64(new Uint8Array(await file.arrayBuffer()));
}

function base64(bytes: Uint8Array): string {
  const parts: string[] = [];
  const step = 0x8000;
  for (let i = 0; i < bytes.length; i += step) {
    parts.push(String.fromCharCode(...bytes.subarray(i, i + step)));
  }
  return btoa(parts.join(''));
}

function withData(
  output: RichOutput,
  data: Record<string, unknown>
): Renderable {
  return { ...output, data } as Renderable;
}
