/**
 * A job in the main area: the whole log, and everything else that is known of it.
 */

import { MainAreaWidget } from '@jupyterlab/apputils';
import { ReactWidget } from '@jupyterlab/ui-components';
import type { IDisposable } from '@lumino/disposable';
import { Panel } from '@lumino/widgets';
import type { JSX } from 'react';
import { sentence } from '../api/errors';
import { mlwsIcon } from '../icons';
import {
  AttemptsPage,
  EnvironmentPage,
  InputsPage,
  ResultsPage
} from './details';
import { ExecutedNotebook, type NotebookParts } from './executed';
import { Failure } from './failure';
import { Head } from './head';
import { LogPage } from './logpage';
import { Progress } from './progress';
import { useSignal } from './react';
import type { LogReader } from './reader';
import { TabbedPages } from './tabs';
import type { JobEntry } from './store';
import { isTrusted, type JobViewServices } from './view';

/** What fills the tab of one job. */
export class JobView extends Panel {
  constructor(
    private readonly services: JobViewServices,
    readonly entry: JobEntry,
    parts: NotebookParts | null
  ) {
    super();
    this.addClass('mlws-JobView');
    const { store } = services;
    this._reader = store.reader(entry.id, true);
    this.addWidget(ReactWidget.create(<Top {...{ entry, services }} />));
    this.addWidget(this.pages(parts));
    entry.changed.connect(this.onEntry, this);
    entry.logChanged.connect(this.onLogGrew, this);
    this._watch = store.watch(entry.id);
    this.onEntry();
  }

  override dispose(): void {
    if (!this.isDisposed) {
      this._watch.dispose();
      this.entry.changed.disconnect(this.onEntry, this);
      this.entry.logChanged.disconnect(this.onLogGrew, this);
      this._reader.dispose();
      super.dispose();
    }
  }

  private pages(parts: NotebookParts | null): TabbedPages {
    const { entry, _reader: reader } = this;
    const { actions, store } = this.services;
    const { client } = store.connection;
    const pages = new TabbedPages();
    pages.addPage('Log', new LogPage(this.services, entry, reader));
    pages.addPage('Results', page(<ResultsPage {...{ entry, actions }} />));
    pages.addPage('Inputs', page(<InputsPage entry={entry} />));
    if (parts) {
      const notebook = new ExecutedNotebook({
        parts,
        fetch: () => client.notebook(entry.id),
        isTrusted: () => isTrusted(entry.job, store)
      });
      pages.addPage('Notebook', notebook, shown => {
        if (shown) {
          void notebook.refresh();
        }
      });
    }
    pages.addPage(
      'Attempts',
      page(<AttemptsPage {...{ entry, client, reader }} />)
    );
    pages.addPage('Environment', page(<EnvironmentPage reader={reader} />));
    return pages;
  }

  private onEntry(): void {
    const { job } = this.entry;
    if (job) {
      this.title.label = job.spec.name;
      // A look at an earlier attempt ends when there is a newer one.
      if (job.attempt !== this._newest) {
        this._newest = job.attempt;
        this._reader.follow(job.attempt);
      } else if (this._reader.attempt === job.attempt) {
        this._reader.follow(job.attempt, job.offset);
      }
    }
  }

  private onLogGrew(_: JobEntry, offset: number | null): void {
    if (this._reader.attempt === this._newest) {
      this._reader.follow(this._newest, offset);
    }
  }

  private readonly _reader: LogReader;
  private readonly _watch: IDisposable;
  private _newest = 0;
}

interface TopProps {
  readonly entry: JobEntry;
  readonly services: JobViewServices;
}

function Top({ entry, services }: TopProps): JSX.Element {
  const { connection } = services.store;
  useSignal(entry.changed);
  useSignal(connection.stateChanged);
  if (entry.gone) {
    return <div className="mlws-Gone">This job was deleted.</div>;
  }
  const { job } = entry;
  return (
    <>
      <Head
        entry={entry}
        name={null}
        actions={services.actions}
        linked={false}
      />
      {!connection.online && (
        <div className="mlws-Note" role="status">
          Reconnecting to the server…
        </div>
      )}
      {entry.problem !== null && connection.online && (
        <Failure error={sentence(entry.problem)} />
      )}
      {job && <Progress job={job} />}
      {job?.error && <Failure error={job.error} />}
    </>
  );
}

function page(element: JSX.Element): ReactWidget {
  const widget = ReactWidget.create(element);
  widget.addClass('mlws-Page');
  return widget;
}

/** The tab of a job. */
export function jobTab(
  services: JobViewServices,
  entry: JobEntry,
  parts: NotebookParts | null
): MainAreaWidget<JobView> {
  const content = new JobView(services, entry, parts);
  const tab = new MainAreaWidget({ content });
  tab.addClass('mlws-JobTab');
  tab.id = `mlws-job-${entry.id}`;
  tab.title.icon = mlwsIcon;
  tab.title.closable = true;
  tab.title.label = entry.job?.spec.name ?? entry.id;
  return tab;
}
