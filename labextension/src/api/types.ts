/**
 * The records of the REST interface, by the names they have everywhere else.
 */

import type { components } from './schema';

type Schemas = components['schemas'];

export type Attempt = Schemas['Attempt'];
export type Change = Schemas['Change'];
export type ErrorInfo = Schemas['ErrorInfo'];
export type EventPage = Schemas['EventPage'];
export type InputItem = Schemas['InputItem'];
export type Job = Schemas['Job'];
export type JobPage = Schemas['JobPage'];
export type JobStatus = Schemas['JobStatus'];
export type LogEvent = EventPage['events'][number];
export type NotebookAnswer = Schemas['NotebookAnswer'];
export type NotebookRequest = Schemas['NotebookRequest'];
export type ResultItem = Schemas['ResultItem'];
export type ServerStatus = Schemas['ServerStatus'];
export type TrackingState = Schemas['TrackingState'];
export type Workspace = Schemas['Workspace'];

/** What is sent to submit a notebook; the fields that are left out take the server's defaults. */
export type JobRequest = Partial<Schemas['JobSpecInput']> &
  Pick<Schemas['JobSpecInput'], 'kind' | 'name'>;

/** Stands in a rich output for a large value, which lies in a file of the attempt; `size` in bytes. */
export interface FileValue {
  readonly file: string;
  readonly size: number;
}
