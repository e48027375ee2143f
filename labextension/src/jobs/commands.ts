/**
 * The commands of a job: open, cancel, re-run, delete, copy, download.
 */

import {
  ILabShell,
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import {
  Clipboard,
  CommandToolbarButton,
  Dialog,
  ICommandPalette,
  type MainAreaWidget,
  showDialog,
  WidgetTracker
} from '@jupyterlab/apputils';
import { IEditorServices } from '@jupyterlab/codeeditor';
import { NotebookPanel } from '@jupyterlab/notebook';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import {
  copyIcon,
  deleteIcon,
  downloadIcon,
  refreshIcon,
  stopIcon
} from '@jupyterlab/ui-components';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import { mlwsIcon } from '../icons';
import { Selection } from '../panel/selection';
import { plural, size } from '../text/format';
import { CommandIDs, IJobs, IJobSelection, JOB_ARGS } from '../tokens';
import { JobActions } from './actions';
import { announce, guarded } from './notify';
import { isTerminal } from './states';
import type { JobEntry, JobStore } from './store';
import { jobTab, type JobView } from './tab';

type Args = ReadonlyPartialJSONObject;
type Tab = MainAreaWidget<JobView>;

const PALETTE = [
  CommandIDs.openJob,
  CommandIDs.cancelJob,
  CommandIDs.rerunJob,
  CommandIDs.deleteJob
];

export const commands: JupyterFrontEndPlugin<Selection> = {
  id: 'jupyter-mlws:commands',
  description: 'What can be done with a job.',
  autoStart: true,
  provides: IJobSelection,
  requires: [IJobs, IRenderMimeRegistry],
  optional: [
    ICommandPalette,
    ILayoutRestorer,
    ILabShell,
    NotebookPanel.IContentFactory,
    IEditorServices
  ],
  activate: (
    app: JupyterFrontEnd,
    store: JobStore,
    rendermime: IRenderMimeRegistry,
    palette: ICommandPalette | null,
    restorer: ILayoutRestorer | null,
    labShell: ILabShell | null,
    contentFactory: NotebookPanel.IContentFactory | null,
    editorServices: IEditorServices | null
  ) => {
    const selection = new Selection();
    const tracker = new WidgetTracker<Tab>({ namespace: 'mlws-jobs' });
    const actions = new JobActions(app.commands);
    const services = { store, rendermime, actions };
    const parts =
      contentFactory && editorServices
        ? { contentFactory, editorServices, rendermime }
        : null;

    const create = (entry: JobEntry): Tab => {
      const tab = jobTab(services, entry, parts);
      addToolbar(tab, app);
      // Notebook 7 has one document in its main area, and room for tabs below.
      app.shell.add(tab, labShell ? 'main' : 'down');
      void tracker.add(tab);
      return tab;
    };
    const open = (entry: JobEntry) => {
      const there = tracker.find(tab => tab.content.entry === entry);
      const tab = there ?? create(entry);
      selection.id = entry.id;
      app.shell.activateById(tab.id);
    };
    /** The job that a command is about. */
    const jobOf = (args: Args): JobEntry | null => {
      const current =
        tracker.currentWidget === app.shell.currentWidget
          ? tracker.currentWidget
          : null;
      const id = args.id ?? current?.content.entry.id ?? selection.id;
      return typeof id === 'string' && id !== '' ? store.entry(id) : null;
    };

    addCommands({ app, store, jobOf, open, selection });
    PALETTE.forEach(command => palette?.addItem({ command, category: 'MLWS' }));
    void restorer?.restore(tracker, {
      command: CommandIDs.openJob,
      args: tab => ({ id: tab.content.entry.id }),
      name: tab => tab.content.entry.id
    });
    return selection;
  }
};

interface Context {
  readonly app: JupyterFrontEnd;
  readonly store: JobStore;
  readonly jobOf: (args: Args) => JobEntry | null;
  readonly open: (entry: JobEntry) => void;
  readonly selection: Selection;
}

function addCommands(context: Context): void {
  const { app, store, jobOf, open, selection } = context;
  const about = (
    run: (entry: JobEntry) => Promise<void> | void
  ): ((args: Args) => Promise<void>) => {
    return args =>
      guarded(async () => {
        const entry = jobOf(args);
        if (entry) {
          await run(entry);
        }
      });
  };
  const known = (args: Args) => jobOf(args) !== null;
  const ended = (args: Args) => {
    const job = jobOf(args)?.job;
    return job ? isTerminal(job.status) : false;
  };
  const describedBy = { args: JOB_ARGS };

  app.commands.addCommand(CommandIDs.openJob, {
    label: 'Open Job',
    caption: 'The whole log, results, inputs and environment of the job',
    icon: mlwsIcon,
    describedBy,
    isEnabled: known,
    execute: about(entry => open(entry))
  });
  app.commands.addCommand(CommandIDs.cancelJob, {
    label: 'Cancel Job',
    caption: 'End the job; what it has put out is kept',
    icon: stopIcon.bindprops({ stylesheet: 'menuItem' }),
    describedBy,
    isEnabled: args => known(args) && !ended(args),
    execute: about(entry => store.cancel(entry.id))
  });
  app.commands.addCommand(CommandIDs.rerunJob, {
    label: 'Re-run Job',
    caption: 'Run the job again exactly as it was',
    icon: refreshIcon,
    describedBy,
    isEnabled: known,
    execute: about(async entry => {
      const again = await store.rerun(entry.id);
      selection.id = again.id;
      announce(again, () => open(again));
    })
  });
  app.commands.addCommand(CommandIDs.deleteJob, {
    label: 'Delete Job…',
    icon: deleteIcon,
    describedBy,
    isEnabled: known,
    execute: about(async entry => {
      if (await confirmed(entry)) {
        await store.delete(entry.id);
      }
    })
  });
  app.commands.addCommand(CommandIDs.copyResult, {
    label: 'Copy Code That Fetches the Result',
    icon: copyIcon,
    describedBy: { args: RESULT_ARGS },
    execute: ({ name, variable }) => {
      const job = typeof variable === 'string' ? variable : 'job';
      Clipboard.copyToSystem(`${job}.result(${JSON.stringify(name)})`);
    }
  });
  app.commands.addCommand(CommandIDs.downloadNotebook, {
    label: 'Download Executed Notebook',
    icon: downloadIcon,
    describedBy,
    isEnabled: args => (jobOf(args)?.job?.attempt ?? 0) > 0,
    execute: about(async entry => {
      const content = await store.connection.client.notebook(entry.id);
      save(content, `${entry.job?.spec.name ?? entry.id}.ipynb`);
    })
  });
}

const RESULT_ARGS = {
  type: 'object',
  properties: {
    name: { type: 'string', description: 'The name of the result.' },
    variable: {
      type: 'string',
      description: "The notebook's variable that holds the job."
    }
  },
  required: ['name']
} as const;

function addToolbar(tab: Tab, app: JupyterFrontEnd): void {
  const args = { id: tab.content.entry.id };
  const shown: [string, string][] = [
    [CommandIDs.rerunJob, 'Re-run'],
    [CommandIDs.openMlflow, 'MLflow'],
    [CommandIDs.downloadNotebook, 'Download notebook']
  ];
  shown.forEach(([id, label]) => {
    const { commands: registry } = app;
    tab.toolbar.addItem(
      id,
      new CommandToolbarButton({ commands: registry, id, args, label })
    );
  });
}

/** Ask before something is lost, and name it. */
async function confirmed({ id, job }: JobEntry): Promise<boolean> {
  const name = job?.spec.name ?? id;
  const kept = (job?.results ?? []).filter(item => item.size !== null);
  const bytes = kept.reduce((sum, item) => sum + (item.size ?? 0), 0);
  const results =
    kept.length > 0
      ? `, ${plural(kept.length, 'result')} (${size(bytes)})`
      : '';
  const running =
    job && !isTerminal(job.status) ? 'It is canceled first. ' : '';
  const answer = await showDialog({
    title: `Delete the job ${name}?`,
    body: `${running}Its log${results} and its executed notebook will be lost.`,
    buttons: [Dialog.cancelButton(), Dialog.warnButton({ label: 'Delete' })]
  });
  return answer.button.accept;
}

/** Give the reader's browser a file. */
function save(content: unknown, name: string): void {
  const text = JSON.stringify(content, null, 1);
  const url = URL.createObjectURL(
    new Blob([text], { type: 'application/x-ipynb+json' })
  );
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}
