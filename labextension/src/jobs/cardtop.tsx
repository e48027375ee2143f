/**
 * The part of a card above its output.
 */

import { caretDownIcon, caretRightIcon } from '@jupyterlab/ui-components';
import { type JSX, useState } from 'react';
import type { Connection } from '../api/connection';
import { size } from '../text/format';
import type { JobActions } from './actions';
import { TextButton } from './buttons';
import { Failure, Problem } from './failure';
import { Gone } from './gone';
import { Head } from './head';
import type { JobMime } from './mime';
import { Parameters } from './parameters';
import { Progress } from './progress';
import { useSignal } from './react';
import type { LogReader } from './reader';
import { Sent } from './sent';
import type { JobEntry } from './store';

export interface CardTopProps {
  readonly entry: JobEntry;
  readonly reader: LogReader;
  readonly mime: JobMime;
  readonly actions: JobActions;
  readonly connection: Connection;
  readonly onToggle: (hidden: boolean) => void;
}

export function CardTop(props: CardTopProps): JSX.Element {
  const { entry, mime, actions, connection } = props;
  useSignal(entry.changed);
  useSignal(connection.stateChanged);
  if (entry.gone) {
    return (
      <Missing mime={mime} workspace={connection.server?.workspace ?? null} />
    );
  }
  const { job } = entry;
  const { online } = connection;
  return (
    <>
      <Head {...{ entry, actions, online }} name={mime.name} linked />
      <Problem problem={entry.problem} />
      {job && <Parameters parameters={job.spec.parameters} />}
      <Sent
        sent={job?.spec.inputs?.items ?? mime.sent}
        skipped={mime.skipped}
      />
      {job && <Progress job={job} />}
      {job?.error && <Failure error={job.error} />}
      <OutputBar {...props} />
    </>
  );
}

/** What is not shown of the output, and the fold of what is. */
function OutputBar(props: CardTopProps): JSX.Element | null {
  const { reader, actions, entry, onToggle } = props;
  const [folded, setFolded] = useState(false);
  useSignal(reader.changed);
  if (!reader.log.hasOutput) {
    return null;
  }
  const toggle = () => {
    setFolded(!folded);
    onToggle(!folded);
  };
  const Caret = folded ? caretRightIcon : caretDownIcon;
  return (
    <div className="mlws-OutputBar">
      <button
        type="button"
        className="mlws-Fold"
        aria-expanded={!folded}
        onClick={toggle}
      >
        <Caret.react tag={null} width="14px" height="14px" />
        output
      </button>
      {reader.above > 0 && !folded && (
        <span className="mlws-quiet">{size(reader.above)} above</span>
      )}
      {reader.above > 0 && (
        <TextButton
          label="Open full log"
          onClick={() => actions.open(entry.id)}
        />
      )}
    </div>
  );
}

/** Why there is no job to show. */
function Missing(props: {
  mime: JobMime;
  workspace: { id: string; name: string } | null;
}): JSX.Element {
  const { mime, workspace } = props;
  const name = mime.name ?? mime.id;
  const elsewhere =
    mime.workspace !== null &&
    workspace !== null &&
    mime.workspace !== workspace.id;
  return elsewhere ? (
    <div className="mlws-Gone">
      {`The job ${name} is in the workspace ${mime.workspaceName ?? mime.workspace}; this server shows ${workspace.name}.`}
    </div>
  ) : (
    <Gone name={name} />
  );
}
