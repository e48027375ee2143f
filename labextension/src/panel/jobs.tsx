/**
 * The list of jobs in the side panel.
 */

import {
  type JSX,
  type KeyboardEvent,
  useEffect,
  useRef,
  useState
} from 'react';
import { sentence } from '../api/errors';
import type { JobActions } from '../jobs/actions';
import { TextButton } from '../jobs/buttons';
import { Failure } from '../jobs/failure';
import type { JobList } from '../jobs/list';
import { useSignal } from '../jobs/react';
import { STATUS_FILTERS } from '../jobs/states';
import { plural } from '../text/format';
import { Row } from './row';
import type { Selection } from './selection';

/** Pixels before the end at which the next page is fetched. */
const AHEAD = 400;
/** Milliseconds of quiet after a letter before the server is asked. */
const TYPING = 200;

export interface JobsProps {
  readonly list: JobList;
  readonly selection: Selection;
  readonly actions: JobActions;
  readonly firstStep: FirstStep;
}

/** What the button of the empty list does. */
export interface FirstStep {
  readonly label: () => string;
  readonly take: () => void;
}

export function Jobs(props: JobsProps): JSX.Element {
  const { list } = props;
  useSignal(list.changed);
  const filtered = list.filter.q !== '' || list.filter.status.length > 0;
  const empty = list.loaded && list.entries.length === 0;
  const [q, setQ] = useState(list.filter.q);
  const clear = () => {
    setQ('');
    list.setFilter({ status: [], q: '' });
  };
  return (
    <>
      {(filtered || !empty) && <Filter {...{ list, q, setQ }} />}
      {list.problem !== null && (
        <div className="mlws-Jobs-problem">
          <Failure error={sentence(list.problem)} />
          <TextButton label="Try again" onClick={() => void list.reload()} />
        </div>
      )}
      {list.waiting > 0 && (
        <button
          type="button"
          className="mlws-Jobs-new"
          onClick={() => list.release()}
        >
          {list.waiting} new
        </button>
      )}
      {empty && !filtered && <Empty firstStep={props.firstStep} />}
      {empty && filtered && (
        <div className="mlws-Jobs-none">
          <span className="mlws-quiet">No job matches.</span>
          <TextButton label="Clear the filter" onClick={clear} />
        </div>
      )}
      {!list.loaded && list.problem === null && <Skeleton />}
      <Rows {...props} />
    </>
  );
}

interface FilterProps {
  readonly list: JobList;
  /** What is typed; the list follows a little later. */
  readonly q: string;
  readonly setQ: (q: string) => void;
}

function Filter({ list, q, setQ }: FilterProps): JSX.Element {
  useEffect(() => {
    if (q === list.filter.q) {
      return;
    }
    const timer = setTimeout(
      () => list.setFilter({ ...list.filter, q }),
      TYPING
    );
    return () => clearTimeout(timer);
  }, [q, list]);
  return (
    <div className="mlws-Filter">
      <input
        type="search"
        placeholder="Filter by name"
        aria-label="Filter by name"
        value={q}
        onChange={event => setQ(event.target.value)}
      />
      <select
        aria-label="Filter by state"
        value={STATUS_FILTERS.findIndex(
          ({ status }) => String(status) === String(list.filter.status)
        )}
        onChange={event => {
          const { status } = STATUS_FILTERS[Number(event.target.value)];
          list.setFilter({ ...list.filter, status });
        }}
      >
        {STATUS_FILTERS.map(({ label }, i) => (
          <option key={label} value={i}>
            {label}
          </option>
        ))}
      </select>
    </div>
  );
}

function Rows({ list, selection, actions }: JobsProps): JSX.Element {
  useSignal(selection.changed);
  const node = useRef<HTMLUListElement>(null);
  const onScroll = () => {
    const ul = node.current;
    if (ul) {
      list.scrolled = ul.scrollTop > 0;
      if (ul.scrollTop === 0 && list.waiting > 0) {
        list.release();
      }
      if (ul.scrollHeight - ul.scrollTop - ul.clientHeight < AHEAD) {
        void list.more();
      }
    }
  };
  // A page that does not fill the panel cannot be scrolled.
  useEffect(onScroll);
  return (
    <ul
      ref={node}
      className="mlws-Rows"
      aria-label={plural(list.total, 'job')}
      onScroll={onScroll}
      onKeyDown={moveFocus}
    >
      {list.entries.map(entry => (
        <Row
          key={entry.id}
          entry={entry}
          selected={entry.id === selection.id}
          actions={actions}
        />
      ))}
    </ul>
  );
}

/** Arrow keys go from row to row. */
function moveFocus(event: KeyboardEvent<HTMLUListElement>): void {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step === undefined) {
    return;
  }
  const rows = [
    ...event.currentTarget.querySelectorAll<HTMLElement>('.mlws-Row-open')
  ];
  const at = rows.indexOf(document.activeElement as HTMLElement);
  if (at !== -1) {
    rows[Math.min(rows.length - 1, Math.max(0, at + step))].focus();
    event.preventDefault();
  }
}

function Empty({ firstStep }: { firstStep: FirstStep }): JSX.Element {
  return (
    <div className="mlws-Empty">
      <p>
        No jobs yet. Put <code>%%mlws submit</code> over a cell, or press ▷ in a
        notebook&apos;s toolbar.
      </p>
      <button
        type="button"
        className="jp-Dialog-button jp-mod-accept jp-mod-styled"
        onClick={firstStep.take}
      >
        {firstStep.label()}
      </button>
    </div>
  );
}

function Skeleton(): JSX.Element {
  return (
    <div className="mlws-Rows" aria-busy="true" aria-label="Loading jobs">
      {[70, 45, 60, 50].map(width => (
        <div key={width} className="mlws-Row">
          <span className="mlws-Skeleton" style={{ width: `${width}%` }} />
        </div>
      ))}
    </div>
  );
}
