/**
 * The small buttons of cards and rows: native buttons with an icon of JupyterLab's and a name for everyone.
 */

import type { LabIcon } from '@jupyterlab/ui-components';
import type { JSX, MouseEvent } from 'react';

export interface IconButtonProps {
  readonly icon: LabIcon;
  /** What it does; title and accessible name. */
  readonly label: string;
  readonly className?: string;
  readonly disabled?: boolean;
  readonly onClick: (event: MouseEvent<HTMLButtonElement>) => void;
}

export function IconButton(props: IconButtonProps): JSX.Element {
  return (
    <button
      type="button"
      className={`mlws-IconButton ${props.className ?? ''}`}
      title={props.label}
      aria-label={props.label}
      disabled={props.disabled}
      onClick={props.onClick}
    >
      <props.icon.react tag={null} width="16px" height="16px" />
    </button>
  );
}

export interface TextButtonProps {
  readonly label: string;
  readonly title?: string;
  readonly onClick: () => void;
}

export function TextButton(props: TextButtonProps): JSX.Element {
  return (
    <button
      type="button"
      className="mlws-TextButton"
      title={props.title}
      onClick={props.onClick}
    >
      {props.label}
    </button>
  );
}
