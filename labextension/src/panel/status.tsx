/**
 * The top of the side panel: which workspace this is, and how its servers stand.
 */

import type { JSX } from 'react';
import type { Connection } from '../api/connection';
import { sentence } from '../api/errors';
import type { TrackingState } from '../api/types';
import { Failure } from '../jobs/failure';
import { useSignal } from '../jobs/react';

export interface WorkspaceStatusProps {
  readonly connection: Connection;
  readonly onOpenMlflow: () => void;
}

export function WorkspaceStatus(props: WorkspaceStatusProps): JSX.Element {
  const { connection, onOpenMlflow } = props;
  useSignal(connection.stateChanged);
  const { server, online, problem } = connection;
  if (!server) {
    return problem === null ? (
      <div className="mlws-Workspace">
        <span className="mlws-Skeleton" style={{ width: '9em' }} />
      </div>
    ) : (
      <Failure error={sentence(problem)} />
    );
  }
  return (
    <div className="mlws-Workspace">
      <span className="mlws-Workspace-name" title={server.workspace.path}>
        {server.workspace.name}
      </span>
      <span className="mlws-Head-space" />
      {online ? (
        <Mlflow tracking={server.tracking} onOpen={onOpenMlflow} />
      ) : (
        <span className="mlws-quiet" role="status">
          reconnecting…
        </span>
      )}
    </div>
  );
}

interface MlflowProps {
  readonly tracking: TrackingState;
  readonly onOpen: () => void;
}

function Mlflow({ tracking, onOpen }: MlflowProps): JSX.Element {
  const { status, error } = tracking;
  if (status === 'stopped' && error) {
    return <span className="mlws-quiet">MLflow is off</span>;
  }
  return (
    <button
      type="button"
      className="mlws-Link"
      title={error ?? 'Open MLflow'}
      onClick={onOpen}
    >
      {status === 'failed' ? 'MLflow failed' : 'MLflow'}
    </button>
  );
}
