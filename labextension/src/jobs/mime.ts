/**
 * What stands in the notebook for a job: enough to draw its card before the server answers. Pure.
 */

import type { InputItem } from '../api/types';

/** A variable that the cell names and that was not sent. */
export interface SkippedItem {
  readonly name: string;
  readonly reason: string | null;
}

/** The data of `application/vnd.mlws.job+json`. */
export interface JobMime {
  readonly id: string;
  /** The id of the workspace that holds the job. */
  readonly workspace: string | null;
  readonly workspaceName: string | null;
  readonly name: string | null;
  readonly sent: readonly InputItem[];
  readonly skipped: readonly SkippedItem[];
  /** The notebook's variable that holds the job. */
  readonly variable: string;
}

/** Read the data as it stands in a notebook, which anyone may have written. Null: it names no job. */
export function parseJobMime(data: unknown): JobMime | null {
  if (typeof data !== 'object' || data === null) {
    return null;
  }
  const given = data as Record<string, unknown>;
  const id = text(given.id);
  if (id === null) {
    return null;
  }
  return {
    id,
    workspace: text(given.workspace),
    workspaceName: text(given.workspace_name),
    name: text(given.name),
    sent: list(given.sent).flatMap(sentItem),
    skipped: list(given.skipped).flatMap(skippedItem),
    variable: text(given.variable) ?? 'job'
  };
}

function sentItem(item: unknown): InputItem[] {
  const { name, type, size, sha256 } = fields(item);
  return typeof name === 'string'
    ? [
        {
          name,
          type: text(type) ?? '',
          size: typeof size === 'number' ? size : 0,
          sha256: text(sha256) ?? ''
        }
      ]
    : [];
}

function skippedItem(item: unknown): SkippedItem[] {
  if (typeof item === 'string') {
    return [{ name: item, reason: null }];
  }
  const { name, reason } = fields(item);
  return typeof name === 'string' ? [{ name, reason: text(reason) }] : [];
}

function fields(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null
    ? (value as Record<string, unknown>)
    : {};
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}
