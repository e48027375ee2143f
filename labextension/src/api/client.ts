/**
 * The REST interface under `<base_url>/mlws/api/v1`, as functions.
 */

import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';
import { ApiError, errorOf, Unreachable } from './errors';
import type {
  Attempt,
  EventPage,
  Job,
  JobPage,
  JobRequest,
  JobStatus,
  NotebookAnswer,
  ServerStatus,
  TrackingState
} from './types';

/** Which jobs to list; the newest come first. */
export interface JobFilter {
  /** Any of these; empty: all. */
  readonly status: readonly JobStatus[];
  /** A part of the name; empty: all. */
  readonly q: string;
}

/** Which piece of an event log to read, in bytes. */
export interface EventsQuery {
  readonly attempt?: number;
  readonly offset?: number;
  readonly tail?: number;
  readonly limit?: number;
}

// What a proxy answers while the server behind it is down.
const GATEWAY_ERRORS = [502, 504];

/** Speaks to the server; every call raises `ApiError` or `Unreachable`. */
export class Client {
  /** `failed` is called when a request got no answer. */
  constructor(
    readonly settings: ServerConnection.ISettings,
    private readonly failed: () => void
  ) {}

  /** The address of `path` under the interface, for a link or a picture. */
  url(...path: (string | number)[]): string {
    const parts = path.map(part => encodeURIComponent(part));
    return URLExt.join(this.settings.baseUrl, 'mlws/api/v1', ...parts);
  }

  status(): Promise<ServerStatus> {
    return this.json(this.url('status'));
  }

  tracking(): Promise<TrackingState> {
    return this.json(this.url('mlflow'));
  }

  job(id: string): Promise<Job> {
    return this.json(this.url('jobs', id));
  }

  jobs(
    filter: JobFilter,
    limit: number,
    cursor: string | null
  ): Promise<JobPage> {
    const query = new URLSearchParams({ limit: limit.toString() });
    filter.status.forEach(status => query.append('status', status));
    if (filter.q) {
      query.set('q', filter.q);
    }
    if (cursor) {
      query.set('cursor', cursor);
    }
    return this.json(`${this.url('jobs')}?${query.toString()}`);
  }

  events(id: string, query: EventsQuery): Promise<EventPage> {
    const given = Object.entries(query) as [string, number | undefined][];
    const search = new URLSearchParams();
    given.forEach(([name, n]) => {
      if (n !== undefined) {
        search.set(name, n.toString());
      }
    });
    return this.json(`${this.url('jobs', id, 'events')}?${search.toString()}`);
  }

  async attempts(id: string): Promise<Attempt[]> {
    const url = this.url('jobs', id, 'attempts');
    return (await this.json<{ attempts: Attempt[] }>(url)).attempts;
  }

  submit(request: JobRequest): Promise<Job> {
    return this.json(this.url('jobs'), this.post(request));
  }

  cancel(id: string): Promise<Job> {
    return this.json(this.url('jobs', id, 'cancel'), this.post({}));
  }

  rerun(id: string): Promise<Job> {
    return this.json(this.url('jobs', id, 'rerun'), this.post({}));
  }

  async delete(id: string): Promise<void> {
    await this.request(this.url('jobs', id), { method: 'DELETE' });
  }

  /** The executed notebook's JSON. */
  notebook(id: string): Promise<unknown> {
    return this.json(this.url('jobs', id, 'notebook'));
  }

  /** A file of an attempt's outputs. */
  async output(id: string, attempt: number, file: string): Promise<Blob> {
    const url = this.url('jobs', id, 'attempts', attempt, 'outputs', file);
    return (await this.request(url, {})).blob();
  }

  async putBlob(sha: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    await this.request(this.url('blobs', sha), {
      method: 'PUT',
      body: bytes,
      headers: { 'Content-Type': 'application/octet-stream' }
    });
  }

  async answerNotebook(
    requestId: string,
    answer: NotebookAnswer
  ): Promise<void> {
    await this.request(this.url('notebooks', 'answers', requestId), {
      method: 'PUT',
      body: JSON.stringify(answer)
    });
  }

  private post(body: unknown): RequestInit {
    return { method: 'POST', body: JSON.stringify(body) };
  }

  private async json<T>(url: string, init: RequestInit = {}): Promise<T> {
    return (await this.request(url, init)).json() as Promise<T>;
  }

  private async request(url: string, init: RequestInit): Promise<Response> {
    let response: Response;
    try {
      response = await ServerConnection.makeRequest(
        url,
        // Ask the server each time; JupyterLab's default adds a query to the address for that.
        { cache: 'no-cache', ...init },
        this.settings
      );
    } catch (error) {
      if (error instanceof ServerConnection.NetworkError) {
        this.failed();
        throw new Unreachable();
      }
      throw error;
    }
    if (response.ok) {
      return response;
    }
    if (GATEWAY_ERRORS.includes(response.status)) {
      this.failed();
      throw new Unreachable();
    }
    throw new ApiError(
      response.status,
      errorOf(response.status, await response.text())
    );
  }
}
