import { Button } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { EmptyState } from '../../ui/empty-state.tsx';

/** Nothing matches, or nothing was ever sent: different next steps. */
export function NoRequests({ filtered }: { filtered: boolean }) {
  if (filtered) {
    return (
      <EmptyState
        title="No request matches"
        text="Nothing in this range passes all the filters."
        action={
          <Button component={Link} to="/requests" variant="default">
            Clear range and filters
          </Button>
        }
      />
    );
  }
  return (
    <EmptyState
      title="No requests in this range"
      text="Requests appear here the moment they end. A key and a snippet for your client are two clicks away."
      action={
        <Button component={Link} to="/keys">
          Create a key
        </Button>
      }
    />
  );
}
