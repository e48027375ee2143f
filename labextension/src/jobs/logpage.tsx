/**
 * The whole output of a job, in portions where it is long.
 */

import { ReactWidget } from '@jupyterlab/ui-components';
import { Panel } from '@lumino/widgets';
import type { JSX } from 'react';
import { sentence } from '../api/errors';
import { size } from '../text/format';
import { TextButton } from './buttons';
import { Failure } from './failure';
import { Follower } from './follower';
import { Outputs } from './outputs';
import { useSignal } from './react';
import type { LogReader } from './reader';
import { isTerminal } from './states';
import type { JobEntry } from './store';
import { isTrusted, type JobViewServices } from './view';

export class LogPage extends Panel {
  constructor(services: JobViewServices, entry: JobEntry, reader: LogReader) {
    super();
    this.addClass('mlws-LogPage');
    const outputs = new Outputs({
      rendermime: services.rendermime,
      allCells: true,
      fetchFile: file =>
        services.store.connection.client.output(entry.id, reader.attempt, file)
    });
    const follower = new Follower();
    follower.node.setAttribute('aria-label', 'Output');
    follower.addWidget(outputs);
    this.addWidget(ReactWidget.create(<Above reader={reader} />));
    this.addWidget(follower);
    this.addWidget(ReactWidget.create(<Below {...{ entry, reader }} />));
    reader.changed.connect(() => {
      // An ended job is read from its beginning, a running one is watched at its end.
      follower.follow = entry.job !== null && !isTerminal(entry.job.status);
      outputs.trusted = isTrusted(entry.job, services.store);
      outputs.render(reader.log);
    });
  }
}

function Above({ reader }: { reader: LogReader }): JSX.Element | null {
  useSignal(reader.changed);
  return reader.above === 0 ? null : (
    <div className="mlws-LogBar">
      <span className="mlws-quiet">{size(reader.above)} above</span>
      <TextButton label="From the beginning" onClick={() => reader.toStart()} />
    </div>
  );
}

interface BelowProps {
  readonly entry: JobEntry;
  readonly reader: LogReader;
}

function Below({ entry, reader }: BelowProps): JSX.Element | null {
  useSignal(reader.changed);
  useSignal(entry.changed);
  if (reader.problem !== null) {
    return <Failure error={sentence(reader.problem)} />;
  }
  const warnings = reader.log.messages.filter(({ level }) => level !== 'info');
  return (
    <>
      {warnings.map(({ text }, i) => (
        <div key={i} className="mlws-LogBar mlws-quiet">
          {text}
        </div>
      ))}
      {reader.below > 0 && (
        <div className="mlws-LogBar">
          <span className="mlws-quiet">{size(reader.below)} below</span>
          <TextButton label="Load more" onClick={() => reader.more()} />
          <TextButton label="Go to the end" onClick={() => reader.toEnd()} />
        </div>
      )}
      <Nothing {...{ entry, reader }} />
    </>
  );
}

/** Why there is no output to see. */
function Nothing({ entry, reader }: BelowProps): JSX.Element | null {
  const { job } = entry;
  if (!job || reader.log.cells.length > 0 || reader.below > 0) {
    return null;
  }
  const text = isTerminal(job.status)
    ? 'The job put nothing out.'
    : 'No output yet.';
  return <div className="mlws-LogBar mlws-quiet">{text}</div>;
}
