"""The worker door: the background tasks, run by the embedded loop or, where a broker is set, by Celery.

`celery -A blog.worker worker` finds its application in `blog.worker.celery`.
"""
