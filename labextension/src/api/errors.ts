/**
 * What can go wrong between the page and the server, in sentences for the user.
 */

import type { ErrorInfo } from './types';

/** The server answered that it cannot do what was asked. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly info: ErrorInfo
  ) {
    super(info.message);
  }
}

/** No answer: the server is down, restarting, or cut off. */
export class Unreachable extends Error {
  constructor() {
    super('The Jupyter server cannot be reached.');
  }
}

/** What `error` says to the user, and what to do. */
export function sentence(error: unknown): ErrorInfo {
  if (error instanceof ApiError) {
    return error.info;
  }
  if (error instanceof Unreachable) {
    return {
      code: 'unreachable',
      message: error.message,
      hint: 'What you see is its last known state; it goes on as soon as the server answers.'
    };
  }
  return { code: 'internal', message: String(error), hint: null };
}

/** The error in the body of an answer, or the best that can be said of an answer without one. */
export function errorOf(status: number, text: string): ErrorInfo {
  try {
    const { error } = JSON.parse(text) as { error?: Partial<ErrorInfo> };
    if (typeof error?.message === 'string') {
      return {
        code: error.code ?? 'internal',
        message: error.message,
        hint: error.hint ?? null
      };
    }
  } catch {
    // Not ours: an error page of Jupyter's or of a proxy's.
  }
  if (status === 404) {
    return {
      code: 'extension_missing',
      message: 'This Jupyter server does not run the MLWS server extension.',
      hint: 'Install jupyter_mlws in the environment of the server, and restart it.'
    };
  }
  if (status === 401 || status === 403) {
    return {
      code: 'not_authenticated',
      message: 'You are not logged in to this Jupyter server.',
      hint: 'Reload the page and log in.'
    };
  }
  return {
    code: 'internal',
    message: `The server answered with ${status}.`,
    hint: 'See the log of the Jupyter server.'
  };
}
