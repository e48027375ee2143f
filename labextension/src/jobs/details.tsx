/**
 * The pages of a job's tab beside its log: results, inputs, attempts, environment.
 */

import { type JSX, useEffect, useState } from 'react';
import type { Client } from '../api/client';
import { sentence } from '../api/errors';
import type { Attempt } from '../api/types';
import { duration, exact, size, value } from '../text/format';
import { literal } from '../text/parameter';
import type { JobActions } from './actions';
import { asked } from './asked';
import { TextButton } from './buttons';
import { secondsOf } from './elapsed';
import { Failure } from './failure';
import { useSignal } from './react';
import type { LogReader } from './reader';
import { Results } from './results';
import { isTerminal } from './states';
import { StatusMark } from './status';
import type { JobEntry } from './store';

export interface PageProps {
  readonly entry: JobEntry;
}

export function ResultsPage(
  props: PageProps & { readonly actions: JobActions }
): JSX.Element {
  useSignal(props.entry.changed);
  const { job } = props.entry;
  const metrics = Object.entries(job?.metrics ?? {});
  return (
    <>
      <h3>Results</h3>
      {job && job.results.length > 0 ? (
        <>
          <Results
            results={job.results}
            onCopy={name => props.actions.copyResult(name, 'job')}
          />
          <p className="mlws-quiet">
            From any notebook of this workspace:{' '}
            <code>{`jupyter_mlws.connect().jobs.get("${job.id}").result()`}</code>
          </p>
        </>
      ) : (
        <p className="mlws-quiet">
          {job && isTerminal(job.status)
            ? 'The job brought nothing back.'
            : 'They come when the job has ended.'}
        </p>
      )}
      {metrics.length > 0 && (
        <>
          <h3>Metrics</h3>
          <Fields
            fields={metrics.map(([name, n]) => [
              name,
              <span key={name} title={String(n)}>
                {value(n)}
              </span>
            ])}
          />
        </>
      )}
    </>
  );
}

export function InputsPage({ entry }: PageProps): JSX.Element {
  useSignal(entry.changed);
  const { job } = entry;
  if (!job) {
    return <></>;
  }
  const { spec } = job;
  const parameters = Object.entries(spec.parameters);
  const items = spec.inputs?.items ?? [];
  return (
    <>
      <h3>Asked for</h3>
      <Fields fields={asked(job)} />
      {parameters.length > 0 && (
        <>
          <h3>Parameters</h3>
          <Fields
            fields={parameters.map(([name, v]) => [
              name,
              <code key={name}>{literal(v)}</code>
            ])}
          />
        </>
      )}
      {items.length > 0 && (
        <>
          <h3>Variables</h3>
          <table className="mlws-Table">
            <thead>
              <tr>
                <th>Name</th>
                <th>Type</th>
                <th className="mlws-number">Size</th>
              </tr>
            </thead>
            <tbody>
              {items.map(item => (
                <tr key={item.name}>
                  <td>
                    <code>{item.name}</code>
                  </td>
                  <td>{item.type}</td>
                  <td className="mlws-number">{size(item.size)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </>
      )}
      {spec.code !== null && (
        <>
          <h3>Code</h3>
          <pre className="mlws-Code">{spec.code}</pre>
        </>
      )}
    </>
  );
}

export interface AttemptsPageProps extends PageProps {
  readonly client: Client;
  readonly onShowLog: (attempt: number) => void;
}

export function AttemptsPage(props: AttemptsPageProps): JSX.Element {
  const { entry, client, onShowLog } = props;
  useSignal(entry.changed);
  const { attempts, problem } = useAttempts(entry, client);
  if (problem !== null) {
    return <Failure error={sentence(problem)} />;
  }
  if (attempts.length === 0) {
    return <p className="mlws-quiet">The job waits for its first attempt.</p>;
  }
  return (
    <table className="mlws-Table">
      <thead>
        <tr>
          <th className="mlws-number">Attempt</th>
          <th>State</th>
          <th>Began</th>
          <th className="mlws-number">Took</th>
          <th>Error</th>
          <th aria-label="Log" />
        </tr>
      </thead>
      <tbody>
        {attempts.map(attempt => (
          <tr key={attempt.number}>
            <td className="mlws-number">{attempt.number}</td>
            <td>
              <StatusMark status={attempt.status} />
            </td>
            <td>{exact(Date.parse(attempt.created_at))}</td>
            <td className="mlws-number">{took(attempt)}</td>
            <td>{attempt.error?.message}</td>
            <td>
              <TextButton
                label="Show log"
                onClick={() => onShowLog(attempt.number)}
              />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** The attempts, fetched again when the job's state or attempt changes. */
function useAttempts(
  entry: JobEntry,
  client: Client
): { attempts: Attempt[]; problem: unknown } {
  const [attempts, setAttempts] = useState<Attempt[]>([]);
  const [problem, setProblem] = useState<unknown>(null);
  const { job } = entry;
  useEffect(() => {
    let wanted = true;
    client
      .attempts(entry.id)
      .then(answer => {
        if (wanted) {
          setAttempts(answer);
          setProblem(null);
        }
      })
      .catch((error: unknown) => {
        if (wanted) {
          setProblem(error);
        }
      });
    return () => {
      wanted = false;
    };
  }, [client, entry.id, job?.status, job?.attempt]);
  return { attempts, problem };
}

function took(attempt: Attempt): string {
  const seconds = secondsOf(attempt);
  return seconds === null ? '' : duration(seconds);
}

export function EnvironmentPage({
  reader
}: {
  readonly reader: LogReader;
}): JSX.Element {
  useSignal(reader.changed);
  const seen = reader.log.environment;
  if (!seen) {
    return (
      <p className="mlws-quiet">
        The packages of the job&apos;s kernel are recorded when its code has
        ended.
      </p>
    );
  }
  return (
    <>
      <Fields
        fields={[
          ['Python', seen.python],
          ['Packages', String(seen.packages.length)]
        ]}
      />
      <pre className="mlws-Code">{seen.packages.join('\n')}</pre>
    </>
  );
}

type Field = [string, JSX.Element | string];

function Fields({ fields }: { fields: Field[] }): JSX.Element {
  return (
    <dl className="mlws-Fields">
      {fields.map(([name, content]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{content}</dd>
        </div>
      ))}
    </dl>
  );
}
