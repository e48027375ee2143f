/**
 * A job in the main area: the whole log, and everything else that is known of it.
 */

import { MainAreaWidget } from '@jupyterlab/apputils';
import { ReactWidget } from '@jupyterlab/ui-components';
import type { IDisposable } from '@lumino/disposable';
import { Panel } from '@lumino/widgets';
import type { JSX } from 'react';
import { mlwsIcon } from '../icons';
import {
  AttemptsPage,
  EnvironmentPage,
  InputsPage,
  ResultsPage
} from './details';
import { ExecutedNotebook, type NotebookParts } from './executed';
import { Failure, Problem } from './failure';
import { Gone } from './gone';
import { Head } from './head';
import { LogPage } from './logpage';
import { Parameters } from './parameters';
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
    this._pages = this.pages(parts);
    this.addWidget(this._pages);
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
    const log = new LogPage(this.services, entry, reader);
    const onShowLog = (attempt: number) => {
      reader.follow(attempt);
      pages.select(log);
    };
    pages.addPage('Log', log);
    pages.addPage('Results', page(<ResultsPage {...{ entry, actions }} />));
    pages.addPage('Inputs', page(<InputsPage entry={entry} />));
    if (parts) {
      const notebook = new ExecutedNotebook({
        parts,
        entry,
        fetch: () => client.notebook(entry.id),
        isTrusted: () => isTrusted(entry.job, store)
      });
      pages.addPage('Notebook', notebook);
    }
    pages.addPage(
      'Attempts',
      page(<AttemptsPage {...{ entry, client, onShowLog }} />)
    );
    pages.addPage('Environment', page(<EnvironmentPage reader={reader} />));
    return pages;
  }

  private onEntry(): void {
    const { job, gone } = this.entry;
    if (gone) {
      // What the pages show is gone, too.
      this._reader.dispose();
      this._pages.dispose();
    } else if (job) {
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
    if (!this.entry.gone && this._reader.attempt === this._newest) {
      this._reader.follow(this._newest, offset);
    }
  }

  private readonly _reader: LogReader;
  private readonly _pages: TabbedPages;
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
  const { job } = entry;
  if (entry.gone) {
    return <Gone name={job?.spec.name ?? entry.id} />;
  }
  const { online } = connection;
  const { actions } = services;
  return (
    <>
      <Head {...{ entry, actions, online }} name={null} linked={false} />
      <Problem problem={entry.problem} />
      {job && <Parameters parameters={job.spec.parameters} />}
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
  tab.title.label = entry.job?.spec.name ?? 'Job';
  const onChange = () => {
    if (entry.gone && entry.job === null) {
      // Of a tab from before the page was loaded anew, whose job is gone, there is nothing to show.
      tab.dispose();
    } else if (entry.gone) {
      // Its buttons ask for what is gone.
      tab.toolbar.hide();
    }
  };
  // Disconnected when the tab is disposed of.
  entry.changed.connect(onChange, tab);
  return tab;
}
