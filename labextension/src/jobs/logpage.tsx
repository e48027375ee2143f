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
  constructor(
    private readonly services: JobViewServices,
    private readonly entry: JobEntry,
    private readonly reader: LogReader
  ) {
    super();
    this.addClass('mlws-LogPage');
    this._outputs = new Outputs({
      rendermime: services.rendermime,
      allCells: true,
      fetchFile: file =>
        services.store.connection.client.output(entry.id, reader.attempt, file)
    });
    this._follower.node.setAttribute('aria-label', 'Output');
    this._follower.addWidget(this._outputs);
    this.addWidget(ReactWidget.create(<Above {...{ entry, reader }} />));
    this.addWidget(this._follower);
    this.addWidget(ReactWidget.create(<Below {...{ entry, reader }} />));
    reader.changed.connect(this.onChange, this);
    entry.changed.connect(this.onChange, this);
  }

  private onChange(): void {
    const { reader, _outputs: outputs } = this;
    const { job } = this.entry;
    const newest = job !== null && reader.attempt === job.attempt;
    // An ended attempt is read from its beginning, a running one is watched at its end.
    this._follower.follow = newest && !isTerminal(job.status);
    outputs.trusted = isTrusted(job, this.services.store);
    outputs.told = newest ? (job.error?.message ?? null) : null;
    outputs.render(reader.log);
  }

  private readonly _follower = new Follower();
  private readonly _outputs: Outputs;
}

interface PartProps {
  readonly entry: JobEntry;
  readonly reader: LogReader;
}

function Above({ entry, reader }: PartProps): JSX.Element {
  useSignal(reader.changed);
  useSignal(entry.changed);
  const newest = entry.job?.attempt ?? 0;
  return (
    <>
      {reader.attempt > 0 && reader.attempt < newest && (
        <div className="mlws-LogBar">
          <span>
            Attempt {reader.attempt} of {newest}
          </span>
          <TextButton
            label={`Show attempt ${newest}`}
            title="The newest one"
            onClick={() => reader.follow(newest)}
          />
        </div>
      )}
      {reader.above > 0 && (
        <div className="mlws-LogBar">
          <span className="mlws-quiet">{size(reader.above)} above</span>
          <TextButton
            label="From the beginning"
            onClick={() => reader.toStart()}
          />
        </div>
      )}
    </>
  );
}

function Below({ entry, reader }: PartProps): JSX.Element | null {
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
function Nothing({ entry, reader }: PartProps): JSX.Element | null {
  const { job } = entry;
  const coming = reader.attempt > 0 && !reader.ready;
  if (!job || coming || reader.log.hasOutput || reader.below > 0) {
    return null;
  }
  const text = isTerminal(job.status)
    ? 'The job put nothing out.'
    : 'No output yet.';
  return <div className="mlws-LogBar mlws-quiet">{text}</div>;
}
