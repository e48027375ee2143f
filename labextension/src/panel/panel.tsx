/**
 * The side panel of the workspace.
 */

import { ReactWidget, SidePanel } from '@jupyterlab/ui-components';
import type { JSX } from 'react';
import type { Connection } from '../api/connection';
import { mlwsIcon } from '../icons';
import { Jobs, type JobsProps } from './jobs';
import { WorkspaceStatus } from './status';

export interface PanelOptions extends JobsProps {
  readonly connection: Connection;
  readonly onOpenMlflow: () => void;
}

/** The workspace at the top, its nouns in sections below: the jobs for now. */
export function workspacePanel(options: PanelOptions): SidePanel {
  const { connection, onOpenMlflow, ...jobs } = options;
  const panel = new SidePanel();
  panel.id = 'mlws-panel';
  panel.title.icon = mlwsIcon;
  panel.title.caption = 'MLWS: jobs of the machine-learning workspace';
  panel.node.setAttribute('role', 'region');
  panel.node.setAttribute('aria-label', 'Machine-learning workspace');
  panel.addClass('mlws-Panel');
  panel.header.addWidget(
    section(
      'mlws-Panel-status',
      <WorkspaceStatus {...{ connection, onOpenMlflow }} />
    )
  );
  const list = section('mlws-Jobs', <Jobs {...jobs} />);
  list.title.label = 'Jobs';
  panel.addWidget(list);
  return panel;
}

function section(className: string, element: JSX.Element): ReactWidget {
  const widget = ReactWidget.create(element);
  widget.addClass(className);
  return widget;
}
