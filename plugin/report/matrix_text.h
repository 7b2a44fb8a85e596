/*
 * matrix_text.h: the node-by-node matrix as a small grid, for people.
 *
 *	    from \ to      control-plane  worker   worker2
 *	    control-plane  ✓              ✓        TIMEOUT
 *	    worker         ✓              ✓        TIMEOUT 1/4
 *	    worker2        -              TIMEOUT  ✓
 *
 * ✓: all got through; an outcome: what those that failed ended with, how many when not all did;
 * -: not probed.
 */
#ifndef ND_PLUGIN_REPORT_MATRIX_TEXT_H
#define ND_PLUGIN_REPORT_MATRIX_TEXT_H

#include "common/buf.h"
#include "plugin/probe/matrix.h"

#define ND_MATRIX_MAX_SHOWN 12 /* rows, and columns; of more nodes only those with failures */

/*
 * Lines that start with four blanks; nothing when no probe between pods failed. Not is_wide: as
 * many columns as fit into 80 characters, those with most failures.
 */
void nd_matrix_print(const struct nd_matrix *matrix, bool is_wide, struct nd_buf *out);

#endif
