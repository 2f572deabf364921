"""Faces and eyes: measured on the original, and compared over the frames of a stack.

Evidence for a person, never a verdict, and nothing about who somebody is. The networks are files
of the plain install, run by OpenCV in worker processes::

    found = find(proxy_rgb)               # faces on the proxy
    faces = measure(found, rgb, icc)      # the same on the original, largest first

``people``, ``tracking`` and ``judging`` need numpy only and run anywhere.
"""
